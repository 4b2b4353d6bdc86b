package agnostic

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/org/promote/pkg/contents"
)

func TestAllowListCoversWhatIsMeantToBeThere(t *testing.T) {
	img := image(t, contents.Config{Env: []string{"ENVIRONMENT=production"}}, step{"COPY . /app", files{
		"app/fixtures/a.env":     "A=1\n",
		"app/fixtures/b/key.pem": keys(t)["ec"],
		"app/deep/down/dev.env":  "B=2\n",
		"app/main.sh":            accessKey + "\n",
	}})
	allow, err := ParseAllow("# what tests need\napp/fixtures/**\n\ndev.env\n**/*.sh:dotenv\nenv:ENVIRONMENT\n")
	if err != nil {
		t.Fatal(err)
	}
	report := check(t, img, Rules{Allow: allow})
	var found, allowed []string
	for _, f := range report.Findings {
		found = append(found, f.Where())
	}
	for _, f := range report.Allowed {
		allowed = append(allowed, f.Where())
	}
	if diff := cmp.Diff([]string{`"/app/main.sh" line 1`}, found); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	want := []string{`"/app/deep/down/dev.env"`, `"/app/fixtures/a.env"`, `"/app/fixtures/b/key.pem" line 1`, "config: env ENVIRONMENT"}
	if diff := cmp.Diff(want, allowed); diff != "" {
		t.Errorf("allowed (-want +got):\n%s", diff)
	}
	if want := `entry "**/*.sh:dotenv" of the allow-list covers nothing in this image`; !strings.Contains(strings.Join(report.Notes, "\n"), want) {
		t.Errorf("notes %q do not hold %q", report.Notes, want)
	}
}

func TestGlobs(t *testing.T) {
	for glob, paths := range map[string][2][]string{
		"app/*.pem":     {{"/app/a.pem"}, {"/app/b/a.pem", "/x/app/a.pem"}},
		"/app/**":       {{"/app/a", "/app/b/c"}, {"/application"}},
		"**/certs/*":    {{"/certs/a", "/x/y/certs/a"}, {"/certs/a/b"}},
		"*.env":         {{"/a.env", "/x/y/a.env"}, {"/a.env/b"}},
		"app/?.key":     {{"/app/a.key"}, {"/app/ab.key"}},
		"app/a+b(c).pl": {{"/app/a+b(c).pl"}, {"/app/aab(c).pl"}},
	} {
		expression := globExpression(glob)
		for _, p := range paths[0] {
			if !expression.MatchString(p) {
				t.Errorf("%q does not cover %q", glob, p)
			}
		}
		for _, p := range paths[1] {
			if expression.MatchString(p) {
				t.Errorf("%q covers %q", glob, p)
			}
		}
	}
}

func TestEveryBadLineOfAnAllowListIsReported(t *testing.T) {
	_, err := ParseAllow("app/*:secret\n**\nenv:\nfine\n")
	if err == nil {
		t.Fatal("ParseAllow() takes it")
	}
	for _, want := range []string{"line 1", `"secret" is not one of: aws-access-key`, "line 2", "covers everything", "line 3", "env:NAME"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not hold %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "line 4") {
		t.Errorf("a good line is called bad: %v", err)
	}
}

func TestEnvironmentNamesAreTheUsers(t *testing.T) {
	img := image(t, contents.Config{Env: []string{"ENVIRONMENT=blue", "API=https://api.stage.example.com", "B=https://green.example.com"}},
		step{"COPY . .", files{"app/a.js": "'https://api.blue.example.com'"}})
	rules := Rules{Environments: []string{"blue", "green"}}
	if err := rules.Check(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range check(t, img, rules).Findings {
		got = append(got, f.Where()+" "+f.Excerpt)
	}
	want := []string{
		`"/app/a.js" line 1 https://api.blue.example.com`, "config: env B https://green.example.com", "config: env ENVIRONMENT ENVIRONMENT=blue",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if err := (Rules{Environments: []string{"Prod", "a.b", "ok"}}).Check(); err == nil || strings.Count(err.Error(), "reading environment name") != 2 {
		t.Errorf("Check() = %v, want both bad names", err)
	}
}

func TestHostsOfEnvironments(t *testing.T) {
	h := hosts{Environments}
	for host, want := range map[string]string{
		"api.stage.example.com": "stage", "prod-db.internal": "prod", "prod.internal": "prod", "db.prod": "prod", "prod-db": "prod",
		"checkout.stage.svc.cluster.local": "stage", "API.PROD.EXAMPLE.COM": "prod", "db-prod2.example.com": "prod",
		"api-dev.example.com": "dev", "team-prod.example": "prod", "x.us-east-1.prod.amazonaws.com": "prod", "staging.example.com": "staging",
		// These are none.
		"dev.mysql.com": "", "go.dev": "", "react.dev": "", "a.test": "", "dev.to": "", "speed-test.net": "", "test": "", "prod": "",
		"product.example.com": "", "contest.example.com": "", "latest.example.com": "", "device.example.com": "", "10.0.0.1": "",
		"developer.example.com": "", "bad_host!": "", "": "", "reproduction.example.com": "", "attest.example.com": "",
	} {
		if got := h.environment(host); got != want {
			t.Errorf("environment(%q) = %q, want %q", host, got, want)
		}
	}
}

func TestStepsAreShownWithoutValues(t *testing.T) {
	for text, want := range map[string]string{
		"ENV A=" + password + " B=c":                                           "ENV A=***",
		"RUN |1 X=" + password + " /bin/sh -c make # buildkit":                 "RUN make",
		"|1 X=" + password + " /bin/sh -c make":                                "RUN make",
		"RUN |1 X=" + password + " /usr/bin/fish -c make":                      "RUN",
		"RUN /bin/sh -c echo " + password + " > /etc/secret && ls":             "RUN echo *** > /etc/secret && ls",
		"RUN /bin/sh -c curl -u ci:" + password + " https://x.example":         "RUN curl -u *** https://x.example",
		"RUN /bin/sh -c docker login -u ci -p " + password + " r.example":      "RUN docker login -u *** -p *** r.example",
		"RUN /bin/sh -c mkdir -p /app/data":                                    "RUN mkdir -p /app/data",
		"RUN /bin/sh -c x --password=" + password:                              "RUN x --password=***",
		"RUN /bin/sh -c <<EOF (PGPASS=" + password + " psql)":                  "RUN <<EOF (PGPASS=*** psql)",
		"RUN /bin/sh -c x --password " + password:                              "RUN x --password ***",
		"RUN /bin/sh -c curl -H 'Authorization: Bearer " + githubToken + "' x": "RUN curl -H '***' x",
		"RUN /bin/sh -c aws configure set k " + secretKey:                      "RUN aws configure set k ***",
		"RUN /bin/sh -c git clone https://" + githubToken + "@git.example/x":   "RUN git clone https://***@git.example/x",
		"ADD https://ci:" + password + "@dl.example/x /x":                      "ADD https://***@dl.example/x /x",
		"COPY --from=build /out/checkout /checkout # buildkit":                 "COPY --from=build /out/checkout /checkout",
		"RUN /bin/sh -c a\nb\tc":                                               "RUN a b c",
		"RUN /bin/sh -c " + strings.Repeat("make ", 100):                       "RUN " + strings.Repeat("make ", 23) + "…",
	} {
		got := maskStep(text)
		if got != want {
			t.Errorf("maskStep(%q) = %q, want %q", text, got, want)
		}
	}
}
