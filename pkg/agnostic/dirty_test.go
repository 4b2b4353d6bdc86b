package agnostic

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/promote/pkg/contents"
)

// copied is the step of the layer that dirty files are in, as the builder writes it and as it is shown.
const (
	copied      = "COPY . /app # buildkit"
	copiedShown = "COPY . /app"
)

// dirtyFiles are files with the kinds that must be found in them, and the line.
func dirtyFiles(t testing.TB) map[string]struct {
	path, text string
	want       []string
} {
	t.Helper()
	key := keys(t)
	binary := "\x7fELF\x02\x01\x01\x00" + strings.Repeat("\x00\x01\x02", 200_000)
	escaped, err := json.Marshal(map[string]string{"type": "service_account", "private_key": key["pkcs8"]})
	if err != nil {
		t.Fatal(err)
	}
	type files = map[string]struct {
		path, text string
		want       []string
	}
	return files{
		"dotenv file":                       {"app/.env", "# settings\nDB_PASSWORD=" + password + "\nLOG=info\n", []string{"dotenv"}},
		"dotenv of an environment":          {"app/.env.production", "API=1\n", []string{"dotenv"}},
		"dotenv by its ending":              {"app/config/prod.env", "export TOKEN='" + password + "'\n", []string{"dotenv"}},
		"dotenv below /usr":                 {"usr/lib/checkout/.env", "DB_PASSWORD=" + password + "\n", []string{"dotenv"}},
		"RSA key":                           {"app/tls/server.key", key["rsa"], []string{"private-key:1"}},
		"EC key":                            {"app/tls/ec.pem", key["ec"], []string{"private-key:1"}},
		"DSA key":                           {"app/tls/dsa.pem", key["dsa"], []string{"private-key:1"}},
		"PKCS 8 key after text":             {"app/notes.txt", "hello\n" + key["pkcs8"], []string{"private-key:2"}},
		"OpenSSH key":                       {"root/.ssh/id_ed25519", key["openssh"], []string{"private-key:1"}},
		"encrypted key":                     {"app/enc.pem", key["encrypted"], []string{"private-key:1"}},
		"key indented in YAML":              {"app/values.yaml", "tls:\n  key: |\n    " + strings.ReplaceAll(key["rsa"], "\n", "\n    "), []string{"private-key:3"}},
		"key on one line":                   {"app/key.js", "const k = " + strings.ReplaceAll(string(mustJSON(key["ec"])), `"`, `'`) + "\n", []string{"private-key:1"}},
		"key in a program":                  {"app/server", binary + key["pkcs8"] + binary, []string{"private-key"}},
		"key across two windows":            {"app/long.txt", strings.Repeat("x", window-1000) + "\n" + key["rsa"], []string{"private-key:2"}},
		"key far into a file":               {"app/longer.txt", strings.Repeat("line\n", 200_000) + key["rsa"], []string{"private-key:200001"}},
		"host key of a server":              {"etc/ssh/ssh_host_rsa_key", key["rsa"], []string{"private-key:1"}},
		"key file of a package":             {"app/node_modules/@team/client/client.key", key["rsa"], []string{"private-key:1"}},
		"AWS access key":                    {"app/deploy.sh", "export AWS_ACCESS_KEY_ID=" + accessKey + "\n", []string{"aws-access-key:1"}},
		"AWS key in a program":              {"app/bin", binary + "\x00" + accessKey + "\x00" + binary, []string{"aws-access-key"}},
		"AWS session key":                   {"app/x.py", "# c\nk = '" + sessionKey + "'\n", []string{"aws-access-key:2"}},
		"AWS secret key in properties":      {"app/x.properties", "aws.secretKey=" + secretKey + "\n", []string{"aws-secret-key:1"}},
		"AWS secret key in code":            {"app/x.js", "const c = {accessKeyId: id, secretAccessKey: '" + secretKey + "'}", []string{"aws-secret-key:1"}},
		"AWS credentials file":              {"root/.aws/credentials", "[default]\naws_access_key_id = " + accessKey + "\naws_secret_access_key = " + secretKey + "\n", []string{"aws-access-key:2", "aws-secret-key:3", "cloud-credentials:3"}},
		"AWS key in a package of one's own": {"app/node_modules/@team/x/index.js", "k='" + accessKey + "'", []string{"aws-access-key:1"}},
		"service account of Google":         {"app/gcp.json", string(escaped), []string{"cloud-credentials:1", "private-key:1"}},
		"login of gcloud":                   {"root/.config/gcloud/application_default_credentials.json", `{"refresh_token": "` + password + `"}`, []string{"cloud-credentials:1"}},
		"kubeconfig in a home":              {"root/.kube/config", "apiVersion: v1\nclusters: []\n", []string{"kubeconfig:2"}},
		"kubeconfig by its content":         {"app/cluster.yaml", "apiVersion: v1\nkind: Config\nclusters:\n- cluster: {server: https://10.0.0.1}\nusers:\n- user: {token: " + password + "}\n", []string{"kubeconfig:1"}},
		"npm token":                         {"app/.npmrc", "registry=https://npm.example/\n//npm.example/:_authToken=" + npmToken + "\n", []string{"package-credentials:2"}},
		"npm token among packages":          {"app/node_modules/x/.npmrc", "//npm.example/:_authToken=" + npmToken + "\n", []string{"package-credentials:1"}},
		"pip index with a login":            {"etc/pip.conf", "[global]\nindex-url = https://ci:" + password + "@pypi.example/simple\n", []string{"credential:2", "package-credentials:2"}},
		"pypirc":                            {"root/.pypirc", "[x]\nusername = ci\npassword = " + password + "\n", []string{"package-credentials:3"}},
		"Maven settings":                    {"root/.m2/settings.xml", "<server><id>x</id><password>" + password + "</password></server>", []string{"package-credentials:1"}},
		"docker login":                      {"root/.docker/config.json", `{"auths":{"r.example":{"auth":"` + password + `"}}}`, []string{"docker-credentials:1"}},
		"netrc":                             {"root/.netrc", "machine git.example\nlogin ci\npassword " + password + "\n", []string{"netrc:3"}},
		"git credentials":                   {"root/.git-credentials", "https://ci:" + password + "@git.example\n", []string{"credential:1", "git-credentials:1"}},
		"what actions/checkout leaves":      {"app/.git/config", "[http \"https://github.com/\"]\n\textraheader = AUTHORIZATION: basic eHg6" + password + "\n", []string{"git-credentials:2"}},
		"GitHub token":                      {"app/get.sh", "curl -H 'Authorization: token " + githubToken + "'", []string{"github-token:1"}},
		"Terraform state":                   {"app/infra/terraform.tfstate", `{"version": 4, "terraform_version": "1.9.0", "lineage": "x"}`, []string{"terraform-state:1"}},
		"pgpass":                            {"root/.pgpass", "db.example:5432:shop:app:" + password + "\n", []string{"credential:1"}},
		"URL in code":                       {"app/main.py", "# about\nAPI = 'https://api.stage.example.com/v1'\n", []string{"endpoint:2"}},
		"URL in a minified script":          {"usr/share/nginx/html/app.js", strings.Repeat("var a=1;", 100_000) + `fetch("https://api.prod.example.com/v1")`, []string{"endpoint:1"}},
		"host in YAML":                      {"app/config.yaml", "db:\n  host: prod-db.internal\n", []string{"endpoint:2"}},
		"host in JSON":                      {"app/config.json", `{"dbHost":"db-stage2.example.com","port":1}`, []string{"endpoint:1"}},
		"host in properties":                {"app/a.properties", "kafka.brokers=kafka-uat-1.example.com:9092\n", []string{"endpoint:1"}},
		"host behind nginx":                 {"etc/nginx/conf.d/default.conf", "location / { proxy_pass http://checkout.qa.svc.cluster.local; }\n", []string{"endpoint:1"}},
		"bucket":                            {"app/b.py", "B = 's3://team-preprod-assets/x'\n", []string{"endpoint:1"}},
		"database URL with a login":         {"app/db.toml", "url = \"postgres://app:" + password + "@db.example.com/shop\"\n", []string{"credential:1"}},
	}
}

func mustJSON(text string) []byte {
	data, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return data
}

func TestDirtyFilesAreFoundWithLayerAndStep(t *testing.T) {
	base := step{"ADD rootfs.tar.gz /", files{"etc/os-release": "ID=x\n"}}
	for name, dirty := range dirtyFiles(t) {
		t.Run(name, func(t *testing.T) {
			img := image(t, contents.Config{}, base, step{"ENV A=b", nil}, step{copied, files{dirty.path: dirty.text, "app/clean.txt": "nothing\n"}})
			report := check(t, img, Rules{})
			kinds := map[string]bool{}
			for _, f := range report.Findings {
				kind := string(f.Kind)
				if f.Line > 0 {
					kind += fmt.Sprintf(":%d", f.Line)
				}
				kinds[kind] = true
				if f.Path != "/"+dirty.path || f.Layer != img.Layers[1].Digest || f.Step != copiedShown {
					t.Errorf("it is placed in %q, layer %s, step %q", f.Path, f.Layer, f.Step)
				}
			}
			// The kinds that are looked for must be there; a tool's file may hold a second kind beside its own.
			for _, want := range dirty.want {
				if !kinds[want] {
					t.Errorf("%s is not found in:\n%s", want, report)
				}
				delete(kinds, want)
			}
			for kind := range kinds {
				if kind != "dotenv" && !strings.HasPrefix(kind, "endpoint") {
					t.Errorf("%s is found too", kind)
				}
			}
			holdsNoSecret(t, report)
		})
	}
}

// holdsNoSecret fails when anything that a report prints has a planted secret in it, or a line of a key.
func holdsNoSecret(t *testing.T, report Report) {
	t.Helper()
	text := report.String() + fmt.Sprintf("%+v", report)
	for _, secret := range planted {
		if strings.Contains(text, secret) {
			t.Errorf("the secret %q stands in:\n%s", secret, text)
		}
	}
	if strings.Contains(text, "MII") || strings.Contains(text, "b3BlbnNza") {
		t.Errorf("a part of a key stands in:\n%s", text)
	}
}

func TestConfigAndHistoryAreFoundByName(t *testing.T) {
	url := "postgres://app:" + password + "@prod-db.internal:5432/shop"
	img := image(t, contents.Config{
		Env: []string{
			"DATABASE_URL=" + url, "WEAK_URL=postgres://user:pass@prod-db/shop", "ENVIRONMENT=production", "NODE_ENV=staging",
			"API_HOST=api.stage.example.com", "CACHE=redis-prod.example.com:6379", "DB_PASSWORD=" + password, "AWS_SECRET_ACCESS_KEY=" + secretKey,
			"AWS_ACCESS_KEY_ID=" + accessKey, "SPRING_PROFILES_ACTIVE=web,prod", "PATH=/usr/bin", "LOG_LEVEL=info",
		},
		Command: []string{"serve", "--api=https://api.uat.example.com"},
		Labels:  map[string]string{"deploy": "https://ci:" + password + "@git.example"},
	},
		step{"ENV DATABASE_URL=" + url, nil},
		step{"ENV OLD_TOKEN=" + password, nil},
		step{"ARG ENVIRONMENT=stage", nil},
		step{"RUN |2 NPM_TOKEN=" + npmToken + " ENVIRONMENT=stage /bin/sh -c npm ci --token " + npmToken + " # buildkit", files{"app/a": "x"}},
		step{"RUN /bin/sh -c git clone https://ci:" + password + "@git.example/x # buildkit", files{"app/b": "x"}},
	)
	report := check(t, img, Rules{})
	var got []string
	for _, f := range report.Findings {
		got = append(got, fmt.Sprintf("%s | %s | %s | %s", f.Config, f.Kind, f.Excerpt, f.Step))
	}
	want := []string{
		"build argument ENVIRONMENT | environment-name | ENVIRONMENT=stage | ARG ENVIRONMENT=***",
		"build argument NPM_TOKEN | credential | NPM_TOKEN=*** | RUN npm ci --token ***",
		"command | endpoint | https://api.uat.example.com | ",
		"env API_HOST | endpoint | API_HOST=api.stage.example.com | ",
		"env AWS_ACCESS_KEY_ID | aws-access-key | AKIA*** | ",
		"env AWS_SECRET_ACCESS_KEY | aws-secret-key | AWS_SECRET_ACCESS_KEY=*** | ",
		"env CACHE | endpoint | CACHE=redis-prod.example.com | ",
		"env DATABASE_URL | credential | postgres://***@prod-db.internal | ENV DATABASE_URL=***",
		"env DATABASE_URL | endpoint | postgres://***@prod-db.internal | ENV DATABASE_URL=***",
		"env DB_PASSWORD | credential | DB_PASSWORD=*** | ",
		"env ENVIRONMENT | environment-name | ENVIRONMENT=production | ",
		"env NODE_ENV | environment-name | NODE_ENV=staging | ",
		"env OLD_TOKEN of an earlier step | credential | OLD_TOKEN=*** | ENV OLD_TOKEN=***",
		"env SPRING_PROFILES_ACTIVE | environment-name | SPRING_PROFILES_ACTIVE=prod | ",
		"env WEAK_URL | credential | postgres://***@prod-db | ",
		"env WEAK_URL | endpoint | postgres://***@prod-db | ",
		"history | credential | https://***@git.example | RUN git clone https://***@git.example/x",
		"label deploy | credential | https://***@git.example | ",
	}
	// The history has the credential of DATABASE_URL as well; it is told once, by the variable's name.
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	holdsNoSecret(t, report)
}

func TestAFileThatALaterLayerRemovesIsFoundStill(t *testing.T) {
	for name, c := range map[string]struct {
		later files
		want  string
	}{
		"not by its own layer":   {nil, ""},
		"by a whiteout":          {files{"root/.wh..netrc": ""}, "removed again in layer "},
		"with its folder":        {files{".wh.root": ""}, "removed again in layer "},
		"by an opaque folder":    {files{"root/.wh..wh..opq": ""}, "removed again in layer "},
		"by another file":        {files{"root/.netrc": "# nothing\n"}, "replaced in layer "},
		"not by the folder":      {files{"root/": ""}, ""},
		"not by a similar one":   {files{"root/.wh..netrc2": ""}, ""},
		"not by an empty folder": {files{"root/sub/.wh..wh..opq": ""}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			first := files{"root/.netrc": "machine x login y password " + password}
			if c.later == nil {
				// A whiteout is about the layers below; in its own layer the file is what it leaves.
				first["root/.wh..netrc"], first["root/.wh..wh..opq"] = "", ""
			}
			img := image(t, contents.Config{},
				step{"COPY .netrc /root/", first}, step{"RUN /bin/sh -c true", files{"a": "b"}}, step{"RUN /bin/sh -c rm", c.later})
			report := check(t, img, Rules{})
			if len(report.Findings) != 1 {
				t.Fatalf("findings: %v", report.Findings)
			}
			want := c.want
			if want != "" {
				want += img.Layers[2].Digest
			}
			f := report.Findings[0]
			if f.Hidden != want || f.Layer != img.Layers[0].Digest || f.Step != "COPY .netrc /root/" {
				t.Errorf("it is %+v, want it hidden as %q", f, want)
			}
			if want != "" && !strings.Contains(f.String()+f.Fix(), "does not take it out of the image") {
				t.Errorf("nothing says that the bytes are pulled all the same: %s, fix: %s", f, f.Fix())
			}
		})
	}
}

func TestAFindingNearTheEndOfAWindowIsToldOnce(t *testing.T) {
	text := strings.Repeat("x\n", (window-ahead/2)/2) + accessKey + strings.Repeat("\nx", window)
	scan := NewScan(contents.Image{Layers: []contents.Layer{{Digest: "sha256:1"}}}, Rules{})
	sink := scan.Visit(contents.Entry{Path: "/app/a.txt", Size: int64(len(text))})
	for piece := range slices.Chunk([]byte(text), 1024) { // so that the first window ends where it is said to
		if _, err := sink.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
	if report := scan.Report(); len(report.Findings) != 1 {
		t.Errorf("findings:\n%s", report)
	}
}

func TestWhatIsToldIsBounded(t *testing.T) {
	many := files{"app/keys.txt": strings.Repeat(accessKey+"\n", 100)}
	for i := range mostFindings + 100 {
		many[fmt.Sprintf("app/%d.env", i)] = "A=b\n"
	}
	report := check(t, image(t, contents.Config{}, step{copied, many}), Rules{})
	if len(report.Findings) != mostFindings {
		t.Errorf("%d findings", len(report.Findings))
	}
	if want := "105 findings more are not shown"; !strings.Contains(strings.Join(report.Notes, "\n"), want) {
		t.Errorf("notes %q do not hold %q", report.Notes, want)
	}
	few := check(t, image(t, contents.Config{}, step{copied, files{"app/keys.txt": many["app/keys.txt"]}}), Rules{})
	if len(few.Findings) != mostInFile {
		t.Errorf("%d findings of one kind in one file", len(few.Findings))
	}
}
