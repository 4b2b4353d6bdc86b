package agnostic

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// known is a file that a tool keeps credentials in.
type known struct {
	kind Kind
	// is says whether a path is that file; name is its last part. Both are in lower case.
	is func(p, name string) bool
	// holds matches what makes it a credential.
	holds *regexp.Regexp
	// excerpt shows what was found without it.
	excerpt string
	// everywhere says that packages' own files count too: nobody publishes such a file by intent.
	everywhere bool
}

func named(names ...string) func(p, name string) bool {
	return func(_, name string) bool { return slices.Contains(names, name) }
}

func ending(endings ...string) func(p, name string) bool {
	return func(p, _ string) bool {
		return slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(p, e) })
	}
}

// secret is a value that is neither empty nor a reference to a variable.
const secret = `["']?[^\s"'$%{<][^\s"']*`

var knownFiles = []known{
	{PackageCredentials, named(".npmrc", "npmrc", ".yarnrc", ".yarnrc.yml"), regexp.MustCompile(`(?im)^.*(_authtoken|_auth|_password|npmauthtoken|npmauthident)["']?\s*[=:]\s*` + secret), "npm token = ***", true},
	{PackageCredentials, named("pip.conf", "pip.ini", "uv.toml"), regexp.MustCompile(`://[^\s/@:$%{]+(:[^\s/@$%{]+)?@`), "index URL = https://***@…", true},
	{PackageCredentials, named(".pypirc"), regexp.MustCompile(`(?im)^\s*password\s*[=:]\s*` + secret), "password = ***", true},
	{PackageCredentials, ending("/.cargo/credentials", "/.cargo/credentials.toml", "/cargo/credentials.toml"), regexp.MustCompile(`(?im)^\s*token\s*=\s*` + secret), "token = ***", true},
	{PackageCredentials, ending("/.gem/credentials"), regexp.MustCompile(`(?im)^\s*:?[\w.]*_?api_key\s*:\s*` + secret), "api key = ***", true},
	{PackageCredentials, ending("/.m2/settings.xml"), regexp.MustCompile(`(?i)<(password|passphrase)>[^<$\s][^<]*</`), "<password>***", true},
	{DockerCredentials, ending("/.docker/config.json", "/.dockercfg", "/.dockerconfigjson", "/containers/auth.json"), regexp.MustCompile(`"(auth|identitytoken|registrytoken|password)"\s*:\s*"[^"$]`), `"auth": "***"`, true},
	{Netrc, named(".netrc", "_netrc"), regexp.MustCompile(`(?i)\bpassword\s+[^\s$]`), "password ***", true},
	{GitCredentials, named(".git-credentials"), regexp.MustCompile(`://[^\s/@]+@`), "https://***@…", true},
	{GitCredentials, ending("/.git/config", "/.gitconfig", "/etc/gitconfig", "/git/config"), regexp.MustCompile(`(?i)://[^\s/@:]+:[^\s/@$]+@|://gh[a-z]_\w+@|extraheader\s*=\s*"?authorization:\s*\w+\s+[^\s$]`), "login of a remote = ***", true},
	{CloudCredentials, ending("/.aws/credentials", "/.aws/config"), regexp.MustCompile(`(?im)^\s*aws_(secret_access_key|session_token)\s*=\s*[^\s$]`), "aws_secret_access_key = ***", true},
	{CloudCredentials, ending("/application_default_credentials.json", "/gcloud/credentials.db", "/gcloud/access_tokens.db", "/adc.json"), regexp.MustCompile(`"(refresh_token|private_key|client_secret)"\s*:\s*"[^"]`), `"refresh_token": "***"`, true},
	{CloudCredentials, ending(".json"), regexp.MustCompile(`"type"\s*:\s*"service_account"[^}]*"private_key"\s*:\s*"-----BEGIN|"private_key"\s*:\s*"-----BEGIN[^}]*"type"\s*:\s*"service_account"`), `"private_key": "***"`, false},
	{CloudCredentials, ending("/.azure/accesstokens.json", "/.azure/msal_token_cache.json", "/.azure/service_principal_entries.json"), regexp.MustCompile(`(?i)"(accesstoken|refreshtoken|secret|client_secret)"\s*:\s*"?[^\s"]`), `"secret": "***"`, true},
	{Credential, named(".pgpass"), regexp.MustCompile(`(?m)^[^#\s:]+:[^:\n]*:[^:\n]*:[^:\n]*:[^\s$]`), "host:port:database:user:***", true},
	{Credential, named(".my.cnf"), regexp.MustCompile(`(?im)^\s*password\s*=\s*` + secret), "password = ***", true},
	{TerraformState, ending(".tfstate", ".tfstate.backup"), regexp.MustCompile(`"(terraform_version|lineage|serial)"\s*:`), `"terraform_version": …`, false},
	{Kubeconfig, ending("/.kube/config"), regexp.MustCompile(`(?m)\bclusters"?\s*:`), "clusters: …", true},
	{Kubeconfig, func(string, string) bool { return true }, nil, "kind: Config, clusters: …, users: …", false},
}

// isKubeconfig knows a kubeconfig by what is in it, whatever its name.
func isKubeconfig(head []byte) bool {
	for _, word := range []string{"clusters", "users", "server", "Config"} { // far cheaper than the expressions
		if !bytes.Contains(head, []byte(word)) {
			return false
		}
	}
	return kubeKind.Match(head) && kubeClusters.Match(head) && kubeUsers.Match(head)
}

var (
	kubeKind     = regexp.MustCompile(`(?m)^\s*"?kind"?\s*:\s*"?Config"?\s*,?\s*$|"kind"\s*:\s*"Config"`)
	kubeClusters = regexp.MustCompile(`(?m)^\s*"?clusters"?\s*:|"clusters"\s*:`)
	kubeUsers    = regexp.MustCompile(`(?m)^\s*"?users"?\s*:|"users"\s*:`)
)

// byName looks at a text file as a whole, as far as its first window goes.
func (f *fileScan) byName(head []byte) {
	p := strings.ToLower(f.entry.Path)
	name := path.Base(p)
	for _, k := range knownFiles {
		if f.where != own && !k.everywhere || !k.is(p, name) {
			continue
		}
		if k.holds == nil {
			if isKubeconfig(head) {
				f.report(0, k.kind, k.excerpt)
				return
			}
			continue
		}
		if m := k.holds.FindIndex(head); m != nil {
			f.report(m[0], k.kind, k.excerpt)
			return
		}
	}
	// No distribution ships one, so below /usr it is the service's too.
	if f.where == own && isDotenv(name) || f.where == system && isDotenv(name) && strings.HasPrefix(name, ".env") {
		if names := assigned(string(head)); len(names) > 0 {
			f.report(-1, Dotenv, dotenvExcerpt(names))
		}
	}
}

// templateEndings are of files that show what is to be set.
var templateEndings = []string{".example", ".sample", ".template", ".dist", ".tpl", ".tmpl", ".schema", ".vault"}

// isDotenv knows .env, .env.prod, .envrc and prod.env by name.
func isDotenv(name string) bool {
	return !isTemplate(name) && (name == ".env" || name == ".envrc" || strings.HasPrefix(name, ".env.") || strings.HasSuffix(name, ".env"))
}

func isTemplate(name string) bool {
	return strings.Contains(name, "example") || slices.ContainsFunc(templateEndings, func(e string) bool { return strings.HasSuffix(name, e) })
}

// assignment is a line of a dotenv file that sets something. The names are bounded, so that a line of base64 in a value of
// several lines is none.
var assignment = regexp.MustCompile(`(?m)^\s*(?:export\s+)?([A-Z][A-Z0-9_]{0,63}|[a-z][a-z0-9_.]{0,63})\s*=\s*["']?[^\s=#"']`)

func assigned(text string) []string {
	var names []string
	for _, m := range assignment.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	return names
}

// dotenvExcerpt shows the first names that are set, never a value.
func dotenvExcerpt(names []string) string {
	const most = 4
	var shown []string
	for _, name := range names[:min(len(names), most)] {
		shown = append(shown, name+"=***")
	}
	text := strings.Join(shown, ", ")
	if len(names) > most {
		text += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return text
}
