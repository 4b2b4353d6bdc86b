package metrics

import (
	"strings"
	"testing"
	"time"
)

func TestParseChecksRefusesAllAtOnce(t *testing.T) {
	_, err := ParseChecks([]byte(`
checks:
  - name: same
    type: ratio
    bad: sum(bad{release="prod"}[$window])
    total: sum(total{release="$release"}[1m])
    max: 0.01
  - name: same
    type: guess
  - type: value
    query: x{release="$release",region="$region"}
  - {name: hopeless, type: ratio, bad: 'b{r="$release"}[$window]', total: 't{r="$release"}[$window]', max: 0.995}
  - {name: mixed, type: value, query: '$release', max: 1, total: x}
`))
	if err == nil {
		t.Fatal("it was accepted")
	}
	for _, want := range []string{
		"`bad` holds no $release", "`total` holds no $window", "the name is taken", `type is "guess"; the types are ratio and value`, "number 3: it has no name",
		"unknown placeholder $region", "neither `min` nor `max`", "would not even stop", "`total`, `compare` and `min-requests` belong to",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
}

func TestParseChecksReadsListsAndMappings(t *testing.T) {
	for _, text := range []string{errorsCheck, "# errors first\nchecks:" + strings.ReplaceAll(errorsCheck, "\n", "\n  ")} {
		if checks, err := ParseChecks([]byte(text)); err != nil || len(checks) != 1 || checks[0].Name != "errors" {
			t.Errorf("got %+v, %v from:\n%s", checks, err, text)
		}
	}
	for _, text := range []string{"", "[]", "checks: []", "just text", "- {name: x, type: ratio, badd: y}"} {
		if _, err := ParseChecks([]byte(text)); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

func TestFillRefusesWhatCouldChangeTheQuery(t *testing.T) {
	for _, bad := range []string{`x"} or vector(0) #`, "", ".*", "a|b", "x\n", "-a"} {
		if q, err := (filling{release: bad, namespace: "n", service: "s"}).fill(`up{release="$release"}`); err == nil {
			t.Errorf("%q became %s", bad, q)
		}
	}
	q, err := filling{release: "abc-1", namespace: "n", service: "s.t", window: 90 * time.Second}.fill(`a$ ${release}x$service[$window]$`)
	if err != nil || q != "a$ abc-1xs.t[90s]$" {
		t.Errorf("got %s, %v", q, err)
	}
}
