package agnostic

import (
	"path"
	"slices"
	"strings"
)

// place is whose files lie in a part of an image, as the package's doc explains.
type place int

const (
	own       place = iota
	packages        // published code of a language's package manager
	system          // the distribution's
	published       // tests, examples and documentation of the two: nothing in them is a secret
)

// packageFolders are names of folders that package managers fill, wherever they are.
var packageFolders = []string{
	"node_modules", "bower_components", "site-packages", "dist-packages", "gems", "vendor", "__pypackages__", ".npm", ".yarn",
	".pnpm-store", ".cache", ".nuget", ".bundle", ".terraform.d",
}

// packageTrees are folders that hold a language's toolchain, its library or its caches, below the root or below a home.
var packageTrees = []string{
	"usr/local/lib/", "usr/lib/python", "usr/lib/jvm/", "usr/lib/ruby/", "usr/lib/node", "usr/share/dotnet/", "usr/share/perl",
	"usr/lib/php", "usr/local/share/perl", "opt/java/", "opt/conda/", "opt/yarn", "opt/venv/lib/",
	"root/.m2/repository/", "root/.local/lib/", "root/.gem/ruby/",
}

// ownTrees are where images keep a service's files although the folder above is the system's.
var ownTrees = []string{
	"usr/src/app/", "usr/share/nginx/html/", "usr/local/apache2/htdocs/", "usr/local/apache2/conf/", "usr/local/tomcat/webapps/",
	"usr/local/tomcat/conf/", "usr/app/", "usr/share/caddy/", "usr/local/",
}

var systemTrees = []string{
	"usr/", "lib/", "lib32/", "lib64/", "libx32/", "bin/", "sbin/", "boot/", "proc/", "sys/", "dev/",
	"etc/ssl/certs/", "etc/pki/", "etc/ca-certificates/", "etc/alternatives/", "etc/apk/keys/", "etc/apt/trusted.gpg.d/",
	"var/lib/dpkg/", "var/lib/apt/", "var/lib/rpm/", "var/lib/ca-certificates/", "var/cache/", "var/log/",
}

// publishedTrees hold what packages say about themselves, and sources with their tests.
var publishedTrees = []string{
	"usr/local/go/", "usr/lib/go-", "usr/share/go-", "go/pkg/", "root/go/pkg/", "usr/local/rustup/", "root/.rustup/",
	"usr/local/cargo/registry/", "root/.cargo/registry/", "root/.cache/go-build/",
	"usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/locale/", "usr/share/help/", "usr/local/share/doc/",
	"usr/local/share/man/", "usr/share/zoneinfo/", "usr/share/licenses/",
}

// trialFolders are names of folders with tests and examples.
var trialFolders = []string{
	"test", "tests", "testing", "testdata", "test-data", "test_data", "__tests__", "spec", "specs", "fixture", "fixtures", "certdata",
	"testcerts", "idle_test", "mock", "mocks", "__mocks__", "e2e", "example", "examples", "sample", "samples", "demo", "demos", "doc", "docs",
	"dummyserver", "third_party", "self_test", "selftest",
}

// snakeOil is a key that Debian's package ssl-cert makes so that a web server starts. Nothing trusts its certificate.
const snakeOil = "etc/ssl/private/ssl-cert-snakeoil.key"

// placeOf says whose file it is.
func placeOf(p string) place {
	p = strings.TrimPrefix(p, "/")
	under := func(trees []string) bool {
		return slices.ContainsFunc(trees, func(tree string) bool { return strings.HasPrefix(p, tree) })
	}
	where := own
	switch {
	case p == snakeOil:
		return published
	case under(publishedTrees):
		return published
	case under(packageTrees) || inFolder(p, packageFolders) || strings.Contains(p, "/lib/python") || strings.Contains(p, "/lib/ruby/"):
		where = packages
	case strings.HasPrefix(p, "usr/local/include/"):
		where = system
	case under(ownTrees):
	case under(systemTrees):
		where = system
	}
	if where != own && (inFolder(p, trialFolders) || isTrial(path.Base(p))) {
		return published
	}
	return where
}

// isTrial says whether a file is a test by its name.
func isTrial(name string) bool {
	name = strings.ToLower(name)
	return strings.HasPrefix(name, "test_") || slices.ContainsFunc([]string{"_test.", ".test.", ".spec.", "-test."}, func(mark string) bool {
		return strings.Contains(name, mark)
	})
}

// keyFiles are how files are called that are private keys.
var keyFiles = []string{".key", ".pem", ".p8", ".ppk", "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "_key"}

// mayHoldKey says whether a private key in the file could be somebody's. What the distribution or a package ships is published,
// and libraries prove themselves with keys that they were compiled with (libgnutls is in every Debian image), so there
// only a file that is a key by its name counts. In the service's own, every file does.
func mayHoldKey(where place, p string, binary bool) bool {
	if where == own {
		return true
	}
	name := strings.ToLower(path.Base(p))
	return !binary && slices.ContainsFunc(keyFiles, func(e string) bool { return strings.HasSuffix(name, e) })
}

// inFolder says whether one of the folders above the file has one of the names.
func inFolder(p string, names []string) bool {
	folder := path.Dir(strings.TrimPrefix(p, "/"))
	for name := range strings.SplitSeq(folder, "/") {
		if slices.Contains(names, name) {
			return true
		}
	}
	return false
}

// proseNames are parts of the names of files that talk about software instead of configuring it.
var proseNames = []string{"readme", "license", "licence", "notice", "changelog", "changes", "copying", "authors", "third-party", "third_party", "contributing", "security"}

// proseEndings are of documentation, of lists of downloads with their hashes, and of maps of sources, whose program is searched.
var proseEndings = []string{
	".md", ".markdown", ".mdx", ".rst", ".adoc", ".asciidoc", ".map", ".lock", ".sum", ".d.ts", ".po", ".pot", ".csv", ".svg",
	"package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "composer.lock", "go.mod", ".patch", ".diff", ".pem", ".crt", ".log",
}

// speaksOfEndpoints says whether hosts in a text file of the service's own are those that it talks to.
func speaksOfEndpoints(p string) bool {
	name := strings.ToLower(path.Base(p))
	for _, ending := range proseEndings {
		if strings.HasSuffix(name, ending) {
			return false
		}
	}
	for _, word := range proseNames {
		if strings.HasPrefix(name, word) {
			return false
		}
	}
	return !isTrial(name) && !isTemplate(name) && !inFolder(p, trialFolders) && !inFolder(p, []string{".git", ".github"})
}
