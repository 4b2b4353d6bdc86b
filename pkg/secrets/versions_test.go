package secrets

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (s *store) resolveAt(versions map[Ref]string) (map[Ref]Value, error) {
	s.t.Helper()
	aws, err := NewAWS(context.Background(), "eu-west-1")
	if err != nil {
		s.t.Fatal(err)
	}
	return aws.ResolveAt(context.Background(), versions)
}

func TestAnEarlierReleasesVersionsAreReadAgain(t *testing.T) {
	s := newStore(t)
	s.secret("db", `{"user": "old", "password": "one"}`, "v1")
	s.secret("same", "kept", "v1")
	s.param("/limit", "10", 1)
	s.param("/same", "x", 4)
	arn := "arn:aws:ssm:eu-west-1:1:parameter/limit"
	refs := []Ref{secretRef("db", "user"), secretRef("db", "password"), secretRef("same"), paramRef("/limit"), paramRef("/limit:label"),
		paramRef(arn), paramRef(arn + ":label"), paramRef("/same")}
	before, err := s.resolve(refs...)
	if err != nil {
		t.Fatal(err)
	}
	record := map[string]string{}
	for ref, value := range before {
		record[ref.String()] = value.Version
	}
	s.secret("db", `{"user": "new", "password": "two"}`, "v2")
	s.secret("db", []byte{1}, "v3")
	s.param("/limit", "20", 2)
	if now, err := s.resolve(paramRef("/limit"), secretRef("db")); err != nil || string(now[paramRef("/limit")].Data) != "20" || !now[secretRef("db")].Binary {
		t.Fatalf("the current values are not the new ones: %v, %v", shown(now), err)
	}
	s.calls = nil
	versions, err := Recorded(refs, record)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.resolveAt(versions)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(shown(before), shown(again)); diff != "" {
		t.Errorf("the values differ (-want +got):\n%s", diff)
	}
	want := map[string][]int{"BatchGetSecretValue": {2}, "GetSecretValue": {0}, "GetParameters": {3}}
	if diff := cmp.Diff(want, s.sizes()); diff != "" {
		t.Errorf("the calls differ; what is still current is read in batches, and each old version once (-want +got):\n%s", diff)
	}
}

func TestAVersionThatIsGoneIsAnErrorByNameAndNotTheCurrentValue(t *testing.T) {
	s := newStore(t)
	s.secret("db", "hunter2", "v9")
	s.param("/limit", "20", 2)
	s.failing["closed"] = "AccessDeniedException"
	_, err := s.resolveAt(map[Ref]string{
		secretRef("db"): "v1", secretRef("none"): "v1", secretRef("closed"): "v1",
		paramRef("/limit"): "1@1700000000500", paramRef("/made-again"): "1@1600000000500", paramRef("/limit:label"): "2@1600000000500",
	})
	if err == nil {
		t.Fatal("no error")
	}
	const advice = "is gone from the store; roll forward instead, or store the earlier value again and deploy with that"
	want := []string{
		`looking up param "/limit": its version "1@1700000000500" ` + advice,
		`looking up param "/limit:label": its version "2@1600000000500" ` + advice,
		`looking up param "/made-again": its version "1@1600000000500" ` + advice,
		`looking up secret "closed": AccessDeniedException: because of AccessDeniedException (the role needs ` + secretPermission + ")",
		`looking up secret "db": its version "v1" ` + advice,
		`looking up secret "none": Secrets Manager gave no answer for it`,
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("the problems differ (-want +got):\n%s", diff)
	}
}

func TestAnOldVersionThatIsDeniedNamesThePermission(t *testing.T) {
	s := newStore(t)
	s.secret("db", "two", "v2")
	s.deny = "GetSecretValue"
	_, err := s.resolveAt(map[Ref]string{secretRef("db"): "v1"})
	if err == nil || !strings.Contains(err.Error(), `secret "db": AccessDenied`) || !strings.Contains(err.Error(), "secretsmanager:GetSecretValue") {
		t.Errorf("got %v", err)
	}
}

func TestWhatWasNotRecordedIsNamed(t *testing.T) {
	_, err := Recorded([]Ref{secretRef("a"), secretRef("a", "k"), paramRef("/p"), paramRef("/p")}, map[string]string{"secret a": "v1"})
	want := "restoring param /p: no version of it was recorded\nrestoring secret a#k: no version of it was recorded"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestTwoHundredSecretsTakeTenCalls(t *testing.T) {
	s := newStore(t)
	var refs []Ref
	versions := map[Ref]string{}
	for i := range 200 {
		secret, param := secretRef(fmt.Sprintf("s%03d", i), "k"), paramRef(fmt.Sprintf("/p%03d", i))
		s.secret(secret.ID, fmt.Sprintf(`{"k": "%d"}`, i), "v1")
		s.param(param.ID, fmt.Sprint(i), 1)
		refs = append(refs, secret, param)
		versions[secret], versions[param] = "v1", "1@1700000000500"
	}
	check := func(t *testing.T, values map[Ref]Value, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for i := range 200 {
			for _, ref := range refs[2*i : 2*i+2] {
				if got := string(values[ref].Data); got != fmt.Sprint(i) {
					t.Fatalf("%s is %q, want %d", ref, got, i)
				}
			}
		}
		calls := map[string]int{}
		for action, sizes := range s.sizes() {
			calls[action] = len(sizes)
		}
		if diff := cmp.Diff(map[string]int{"BatchGetSecretValue": 10, "GetParameters": 20}, calls); diff != "" {
			t.Errorf("the calls differ (-want +got):\n%s", diff)
		}
		s.calls = nil
	}
	t.Run("as they are now", func(t *testing.T) {
		values, err := s.resolve(refs...)
		check(t, values, err)
	})
	t.Run("and at versions that are still current", func(t *testing.T) {
		values, err := s.resolveAt(versions)
		check(t, values, err)
	})
}

func TestBatchesGoOutTogether(t *testing.T) {
	// Each read waits until all others have begun, so batches one after another would never end.
	begun := make(chan struct{}, parallelCalls)
	all := make(chan struct{})
	go func() {
		for range parallelCalls {
			<-begun
		}
		close(all)
	}()
	ids := make([]string, parallelCalls*maxParameters)
	for i := range ids {
		ids[i] = fmt.Sprint(i)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	answers, problems := inBatches(ids, maxParameters, func(batch []string) (map[string]found, []error) {
		begun <- struct{}{}
		select {
		case <-all:
			return map[string]found{batch[0]: {}}, nil
		case <-ctx.Done():
			return nil, []error{ctx.Err()}
		}
	})
	if len(answers) != parallelCalls || len(problems) != 0 {
		t.Errorf("%d answers and %v", len(answers), problems)
	}
}

func TestTheSDKRetriesAndNobodyElse(t *testing.T) {
	t.Run("a throttled call is made again", func(t *testing.T) {
		s := newStore(t)
		t.Setenv("AWS_MAX_ATTEMPTS", "")
		s.secret("a", "x", "v")
		s.busy = 1
		if _, err := s.resolve(secretRef("a")); err != nil || len(s.calls) != 2 {
			t.Errorf("%d calls, want 2; %v", len(s.calls), err)
		}
	})
	t.Run("as often as the SDK is told, and not once more", func(t *testing.T) {
		s := newStore(t) // AWS_MAX_ATTEMPTS=1
		s.busy = 100
		if _, err := s.resolve(secretRef("a"), paramRef("/p")); err == nil || !strings.Contains(err.Error(), "ThrottlingException") || len(s.calls) != 2 {
			t.Errorf("%d calls, want one to each store; %v", len(s.calls), err)
		}
	})
}

func TestABinarySecretSaysThatItIsOne(t *testing.T) {
	s := newStore(t)
	s.secret("bin", []byte("reads like text"), "v")
	s.secret("json", []byte(`{"k": "hunter2"}`), "v")
	values, err := s.resolve(secretRef("bin"))
	if err != nil || !values[secretRef("bin")].Binary {
		t.Errorf("got %v, %v; want a binary value", shown(values), err)
	}
	_, err = s.resolve(secretRef("json", "k"))
	if err == nil || !strings.Contains(err.Error(), `secret "json": it holds binary data (SecretBinary), which has no keys, but key "k" is asked for`) || strings.Contains(err.Error(), "hunter") {
		t.Errorf("got %v", err)
	}
}

func TestStaticHasOneVersion(t *testing.T) {
	known := paramRef("/p")
	values, err := Static{known: "5"}.ResolveAt(t.Context(), map[Ref]string{known: "static"})
	if err != nil || string(values[known].Data) != "5" {
		t.Errorf("got %v, %v", shown(values), err)
	}
	if _, err := (Static{known: "5"}).ResolveAt(t.Context(), map[Ref]string{known: "v1"}); err == nil || !strings.Contains(err.Error(), `"v1" is gone`) {
		t.Errorf("got %v", err)
	}
}
