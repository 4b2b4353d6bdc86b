package agnostic

import (
	"os"
	"strings"
	"testing"

	"github.com/org/promote/pkg/contents"
)

// marker is the beginning of a private key as programs know it, without a key behind it.
const marker = "-----BEGIN RSA PRIVATE KEY-----"

// cleanImages are images that nothing is wrong with, though each holds what a simpler rule would stumble over.
func cleanImages(t testing.TB) map[string]contents.Image {
	t.Helper()
	key := keys(t)["rsa"]
	cert := certificate(t)
	binary := "\x7fELF\x02\x01\x01\x00" + strings.Repeat("\x00\x01\x02", 3000)
	return map[string]contents.Image{
		"a Go program on scratch": image(t, contents.Config{
			Env: []string{"PATH=/usr/bin", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"}, Entrypoint: []string{"/checkout"},
			Labels: map[string]string{"org.opencontainers.image.source": "https://git.example/team/checkout"},
		},
			step{"COPY checkout /checkout", files{
				"checkout":                           self(t),
				"etc/ssl/certs/ca-certificates.crt":  strings.Repeat("# comment\n"+cert, 200),
				"etc/passwd":                         "root:x:0:0::/root:/bin/sh\n",
				"etc/nsswitch.conf":                  "hosts: files dns\n",
				"usr/share/zoneinfo/Europe/Budapest": "TZif2\x00\x00",
			}}),
		"a program with constants": image(t, contents.Config{},
			step{"COPY server /app/server", files{"app/server": binary + marker + "\x00-----END RSA PRIVATE KEY-----\x00AKIAIOSFODNN7EXAMPLE\x00" +
				"http://user:pass@host/https://api.stage.example.com" + binary}}),
		"an Alpine-like base": image(t, contents.Config{Env: []string{"PATH=/bin"}, Command: []string{"/bin/sh"}},
			step{"ADD alpine-minirootfs.tar.gz /", files{
				"bin/busybox": binary, "lib/apk/db/installed": "P:musl\nV:1.2.5-r0\nU:https://musl.libc.org/\n",
				"etc/alpine-release": "3.22.0\n", "etc/ssl/certs/ca-certificates.crt": cert, "usr/share/ca-certificates/mozilla/x.crt": cert,
				"etc/ssl/openssl.cnf": "[ req ]\n# see https://dev.example.com/openssl\nprivate_key = $dir/private/cakey.pem\n",
				"etc/os-release":      "HOME_URL=\"https://alpinelinux.org/\"\nBUG_REPORT_URL=\"https://gitlab.alpinelinux.org/\"\n",
				"etc/apk/keys/alpine-devel@lists.alpinelinux.org-1.rsa.pub": "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n",
			}}),
		"a Debian-like base with documentation": image(t, contents.Config{},
			step{"# debian.sh --arch 'amd64' out/ 'trixie' '@1700000000'", files{
				"usr/share/doc/openssl/demo.pem": key, "usr/share/doc/awscli/examples.txt": accessKey + "\n" + "aws_secret_access_key = " + secretKey,
				"usr/share/doc/curl/.netrc": "machine x login y password " + password, "usr/share/man/man1/ssh.1": key,
				"usr/lib/x86_64-linux-gnu/libgnutls.so.30":     binary + key + binary, // its self-test's
				"usr/lib/keyrings/proof.key":                   binary + key + binary,
				"usr/lib/python3.13/test/certdata/keycert.pem": key, "usr/lib/python3.13/asyncio/test_utils.py": "KEY = '''" + key + "'''",
				"var/lib/dpkg/info/mysql.list":            "https://dev.mysql.com/\n",
				"var/lib/dpkg/status":                     "Package: x\nHomepage: https://qa.example.com/\n",
				"etc/ssl/private/ssl-cert-snakeoil.key":   key,
				"etc/mysql/my.cnf":                        "# https://dev.mysql.com/doc/\n[client]\n# password = " + password + "\nsocket = /run/x.sock\n",
				"etc/apt/sources.list.d/debian.sources":   "URIs: http://deb.debian.org/debian\nSuites: trixie\n",
				"usr/local/go/src/crypto/tls/tls_test.go": "var k = `" + key + "`", "usr/local/go/go.env": "GOPROXY=https://proxy.golang.org,direct\n",
				"root/go/pkg/mod/example.com/x@v1/x_test.go": accessKey,
			}}),
		"node with packages": image(t, contents.Config{Env: []string{"NODE_ENV=production", "NODE_VERSION=22.1.0", "YARN_VERSION=1.22.22"}, Command: []string{"node", "server.js"}},
			step{"COPY . .", files{
				"usr/src/app/node_modules/dotenv/.env":                 "API_KEY=" + password + "\n",
				"usr/src/app/node_modules/dotenv/README.md":            "postgres://user:" + password + "@db.prod.example.com/x",
				"usr/src/app/node_modules/tls/test/fixtures/key.pem":   key,
				"usr/src/app/node_modules/aws-sdk/lib/x.js":            "// AKIAIOSFODNN7EXAMPLE\nconst e='https://api.stage.example.com';",
				"usr/src/app/node_modules/aws-sdk/x.test.js":           "const k = '" + accessKey + "';",
				"usr/src/app/node_modules/pg/package.json":             `{"name":"pg","homepage":"https://dev.example.com"}`,
				"usr/src/app/.npmrc":                                   "//registry.npmjs.org/:_authToken=${NPM_TOKEN}\nregistry=https://registry.npmjs.org/\n",
				"usr/src/app/.env.example":                             "DATABASE_URL=postgres://user:" + password + "@prod-db.internal/x\n",
				"usr/src/app/README.md":                                "Deployed to https://api.prod.example.com, log in as https://admin:" + password + "@x.example.com\n",
				"usr/src/app/package-lock.json":                        `{"resolved":"https://npm.prod.example.com/x.tgz"}`,
				"usr/src/app/test/server.test.js":                      "fetch('https://api.stage.example.com'); fetch('https://ci:" + password + "@x.example')",
				"usr/src/app/seed.js":                                  "const id='AKIAAAAAAAAAAAAAAAAA'; const c={secretAccessKey:'" + strings.Repeat("0123456789abcdef", 3)[:40] + "'}",
				"usr/src/app/types/url.d.ts":                           "/** new URL('https://ci:" + password + "@x.example') */",
				"usr/src/app/server.js":                                "// see https://dev.example.com/guide\nconst u = new URL(path, 'http://test');\nrequire('./webpack.prod.js'); const base = `https://${process.env.API_HOST}/v1`;\nfetch('http://localhost:3000'); const dsn = 'postgres://postgres:postgres@localhost/x'; const w='https://dev.w3.org/html5/spec';\n",
				"usr/src/app/config.json":                              `{"main":"index.prod.js","logLevel":"info","apiHost":"${API_HOST}","docs":"https://react.dev/learn","package":"com.example.prod.Main"}`,
				"usr/local/lib/node_modules/npm/docs/content/npmrc.md": "//registry/:_authToken=" + npmToken,
			}}),
		"python with botocore": image(t, contents.Config{Env: []string{"LANG=C.UTF-8", "GPG_KEY=7169605F62C751356D054A26A821E680E5FA6305", "PYTHON_SHA256=8d3ed8ec5c88c1c95f5e558612a725450d2452813ddad5e58fdb1a53b1209b78"}},
			step{"RUN pip install -r requirements.txt", files{
				"usr/local/lib/python3.13/site-packages/botocore/data/endpoints.json": `{"dnsSuffix":"amazonaws.com","endpoints":{"x":{"hostname":"api.stage.example.com"},"y":{"hostname":"prod.us-east-1.x.amazonaws.com"}}}`,
				"usr/local/lib/python3.13/site-packages/googleapiclient/x.json":       `{"rootUrl":"https://staging-dialogflow.sandbox.googleapis.com/"}`,
				"usr/local/lib/python3.13/site-packages/django/conf/settings.py":      "SECRET_KEY = ''\nurl='https://u:" + password + "@stage.example.com'",
				"app/requirements.txt":       "boto3==1.40.0\n",
				"app/main.py":                "import os\nURL = os.environ['API_URL']\nAWS_SECRET_ACCESS_KEY = os.environ['AWS_SECRET_ACCESS_KEY']\n",
				"root/.cache/pip/http/a":     "https://test.example.com",
				"root/.config/pip/pip.conf":  "[global]\nindex-url = https://pypi.org/simple\n",
				"root/.docker/config.json":   `{"credHelpers":{"x.example.com":"ecr-login"}}`,
				"app/infra/deployment.yaml":  "kind: Deployment\nmetadata:\n  name: checkout\nspec:\n  env:\n  - name: DB_HOST\n    value: {{ param \"db-host\" }}\n",
				"etc/nginx/conf.d/site.conf": "upstream app { server 127.0.0.1:8080; }\nserver { server_name _; }\n",
			}}),
		"a web page behind nginx": image(t, contents.Config{Command: []string{"nginx", "-g", "daemon off;"}},
			step{"COPY dist /usr/share/nginx/html", files{
				"usr/share/nginx/html/index.html":    "<script src=/app.js></script><a href=\"https://www.example.com/\">home</a>",
				"usr/share/nginx/html/app.js":        "/*! https://dev.twitter.com/web http://dev.apollodata.com */fetch('/api');e='https://reactjs.org/docs/error-decoder.html?invariant='",
				"usr/share/nginx/html/app.js.map":    `{"sources":["https://api.stage.example.com"]}`,
				"etc/nginx/templates/default.tmpl":   "proxy_pass http://${API_HOST};",
				"docker-entrypoint.d/20-envsubst.sh": "#!/bin/sh\n# https://test.example.com\nexec envsubst\n",
			}}),
		"a build with harmless arguments": image(t, contents.Config{Env: []string{"VERSION=1.2.3-dev.4", "MIX_ENV=prod", "DB_PASSWORD_FILE=/run/secrets/db", "SECRET_KEY_BASE_DUMMY=1", "TOKEN=", "REFRESH_TOKEN=86400", "CONFIG=/app/app.prod.yaml"}},
			step{"ARG VERSION=1.2.3", nil}, step{"ARG NODE_ENV=production", nil}, step{"ARG NPM_TOKEN", nil},
			step{"RUN |2 VERSION=1.2.3 NODE_ENV=production /bin/sh -c make release && curl -fsSL https://dl.example.com/x.tgz # buildkit", files{"app/server": binary}}),
	}
}

// self is this test's own program: a Go binary with crypto in it, which knows every marker.
func self(t testing.TB) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), marker) {
		t.Fatal("this program has no marker in it; it would prove nothing")
	}
	return string(data)
}

func TestCleanImagesGiveNoAlarm(t *testing.T) {
	for name, img := range cleanImages(t) {
		t.Run(name, func(t *testing.T) {
			report := check(t, img, Rules{})
			if !report.Clean() {
				t.Errorf("it is said to have:\n%s", report)
			}
			if report.Files == 0 {
				t.Error("no file was looked at")
			}
			t.Logf("%d files, %d bytes", report.Files, report.Bytes)
		})
	}
}
