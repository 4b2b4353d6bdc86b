package secrets

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// store is Secrets Manager and Parameter Store as the real SDK talks to them.
type store struct {
	*httptest.Server
	t       *testing.T
	secrets map[string]map[string]any // by name or ARN: what GetSecretValue would answer
	older   map[string]map[string]any // by name and version: what is no longer current and not yet deleted
	failing map[string]string         // by name: the error code inside an answer with status 200
	params  map[string][]map[string]any
	deny    string // an action that is denied
	denied  string // a parameter that may not be read, which fails the whole call
	raw     string // answered as it is, when set
	busy    int    // how many calls are throttled before one is answered
	paged   bool

	mu    sync.Mutex
	calls []call
}

type call struct {
	action string
	ids    []string
}

func newStore(t *testing.T) *store {
	s := &store{t: t, secrets: map[string]map[string]any{}, older: map[string]map[string]any{}, failing: map[string]string{},
		params: map[string][]map[string]any{}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": s.URL, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	return s
}

func (s *store) secret(name string, value any, version string) {
	entry := map[string]any{"Name": name, "ARN": "arn:aws:secretsmanager:eu-west-1:1:secret:" + name + "-AbCdEf", "VersionId": version}
	if data, ok := value.([]byte); ok {
		entry["SecretBinary"] = base64.StdEncoding.EncodeToString(data)
	} else {
		entry["SecretString"] = value
	}
	if before, ok := s.secrets[name]; ok {
		s.older[name+" "+before["VersionId"].(string)] = before
	}
	s.secrets[name] = entry
}

// param adds a version, dated by its number.
func (s *store) param(name, value string, version int) {
	s.params[name] = append(s.params[name], map[string]any{"Name": name, "ARN": "arn:aws:ssm:eu-west-1:1:parameter" + name, "Value": value, "Version": version, "LastModifiedDate": 1700000000.5})
}

func (s *store) serve(w http.ResponseWriter, r *http.Request) {
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var in struct {
		SecretIDList   []string `json:"SecretIdList"`
		Names          []string
		SecretID       string `json:"SecretId"`
		VersionID      string `json:"VersionId"`
		NextToken      string
		WithDecryption bool
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		s.t.Errorf("%s: %v", action, err)
	}
	s.mu.Lock()
	s.calls = append(s.calls, call{action, append(in.SecretIDList, in.Names...)})
	busy := s.busy > 0
	s.busy--
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if s.raw != "" {
		_, _ = w.Write([]byte(s.raw))
		return
	}
	var out any
	switch {
	case busy:
		w.WriteHeader(http.StatusBadRequest)
		out = map[string]any{"__type": "ThrottlingException", "message": "Rate exceeded"}
	case s.deny == action, s.denied != "" && slices.Contains(in.Names, s.denied):
		w.WriteHeader(http.StatusBadRequest)
		out = map[string]any{"__type": "AccessDeniedException", "message": "User is not authorized"}
	case action == "BatchGetSecretValue":
		out = s.batchGet(in.SecretIDList, in.NextToken)
	case action == "GetSecretValue":
		if out = s.get(in.SecretID, in.VersionID); out == nil {
			w.WriteHeader(http.StatusBadRequest)
			out = map[string]any{"__type": "ResourceNotFoundException", "message": "Secrets Manager can't find the specified secret value for VersionId: " + in.VersionID}
		}
	case action == "GetParameters":
		if !in.WithDecryption {
			s.t.Error("GetParameters without decryption")
		}
		out = s.getParameters(in.Names)
	default:
		s.t.Errorf("unexpected action %q", action)
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (s *store) batchGet(ids []string, token string) any {
	if len(ids) > 20 {
		s.t.Errorf("%d ids in one call", len(ids))
	}
	var values, failures []any
	for _, id := range ids {
		name := strings.TrimPrefix(id, "arn:aws:secretsmanager:eu-west-1:1:secret:")
		for _, candidate := range []string{name, strings.TrimSuffix(name, "-AbCdEf")} {
			if entry, ok := s.secrets[candidate]; ok {
				values = append(values, entry)
				break
			} else if code, ok := s.failing[candidate]; ok {
				failures = append(failures, map[string]any{"SecretId": id, "ErrorCode": code, "Message": "because of " + code})
				break
			}
		}
	}
	if s.paged && token == "" && len(values) > 1 {
		return map[string]any{"SecretValues": values[:1], "NextToken": "more"}
	} else if token != "" {
		values = values[1:]
	}
	return map[string]any{"SecretValues": values, "Errors": failures}
}

// get is one secret at one version, nil when it is gone.
func (s *store) get(id, version string) any {
	name := strings.TrimSuffix(strings.TrimPrefix(id, "arn:aws:secretsmanager:eu-west-1:1:secret:"), "-AbCdEf")
	if entry, ok := s.secrets[name]; ok && entry["VersionId"] == version {
		return entry
	}
	if entry, ok := s.older[name+" "+version]; ok {
		return entry
	}
	return nil
}

func (s *store) getParameters(names []string) any {
	if len(names) > 10 {
		s.t.Errorf("%d names in one call", len(names))
	}
	var values, invalid []any
	for _, name := range names {
		plain, selector, selected := strings.Cut(strings.TrimPrefix(name, "arn:aws:ssm:eu-west-1:1:parameter"), ":")
		versions := s.params[plain]
		at := len(versions) - 1
		if selected && selector != "label" {
			at = slices.IndexFunc(versions, func(v map[string]any) bool { return fmt.Sprint(v["Version"]) == selector })
		}
		if at < 0 {
			invalid = append(invalid, name)
			continue
		}
		entry := maps.Clone(versions[at])
		if selected {
			entry["Selector"] = ":" + selector
		}
		values = append(values, entry)
	}
	return map[string]any{"Parameters": values, "InvalidParameters": invalid}
}

// sizes is how many ids each call of an action had, the small ones first: calls are made at the same time.
func (s *store) sizes() map[string][]int {
	sizes := map[string][]int{}
	for _, call := range s.calls {
		sizes[call.action] = append(sizes[call.action], len(call.ids))
	}
	for _, each := range sizes {
		slices.Sort(each)
	}
	return sizes
}

func (s *store) resolve(refs ...Ref) (map[Ref]Value, error) {
	s.t.Helper()
	aws, err := NewAWS(context.Background(), "eu-west-1")
	if err != nil {
		s.t.Fatal(err)
	}
	return aws.Resolve(context.Background(), refs)
}

func secretRef(id string, key ...string) Ref {
	return Ref{Kind: Secret, ID: id, Key: strings.Join(key, "")}
}
func paramRef(id string) Ref { return Ref{Kind: Param, ID: id} }

// shown makes values comparable; cmp would print "(secret)" for both sides.
func shown(values map[Ref]Value) map[string]string {
	out := map[string]string{}
	for ref, value := range values {
		out[ref.String()] = fmt.Sprintf("%q %s", string(value.Data), value.Version)
	}
	return out
}

func TestResolveReadsEveryKindOfValue(t *testing.T) {
	s := newStore(t)
	s.secret("plain", "text\nof two lines", "v1")
	s.secret("binary", []byte{0, 255, 10}, "v2")
	s.secret("json", `{"password": "a\"b\u00e9", "port": 5432, "big": 12345678901234567890, "on": true, "list": [1, 2], "empty": "", "nested": {"a": "b"}}`, "v3")
	s.param("/app/replicas", "3", 7)
	arn := "arn:aws:secretsmanager:eu-west-1:1:secret:plain"
	values, err := s.resolve(secretRef("plain"), secretRef("binary"), secretRef("json"), secretRef("json", "password"), secretRef("json", "port"),
		secretRef("json", "big"), secretRef("json", "on"), secretRef("json", "list"), secretRef("json", "empty"), secretRef("json", "nested"),
		secretRef(arn), secretRef(arn+"-AbCdEf"), paramRef("/app/replicas"), paramRef("/app/replicas:7"),
		paramRef("arn:aws:ssm:eu-west-1:1:parameter/app/replicas"), secretRef("plain"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"secret plain": `"text\nof two lines" v1`, "secret binary": `"\x00\xff\n" v2`, "secret json": fmt.Sprintf("%q v3", s.secrets["json"]["SecretString"]),
		"secret json#password": `"a\"bé" v3`, "secret json#port": `"5432" v3`, "secret json#big": `"12345678901234567890" v3`,
		"secret json#on": `"true" v3`, "secret json#list": `"[1,2]" v3`, "secret json#empty": `"" v3`, "secret json#nested": `"{\"a\":\"b\"}" v3`,
		"secret " + arn: `"text\nof two lines" v1`, "secret " + arn + "-AbCdEf": `"text\nof two lines" v1`,
		"param /app/replicas": `"3" 7@1700000000500`, "param /app/replicas:7": `"3" 7@1700000000500`,
		"param arn:aws:ssm:eu-west-1:1:parameter/app/replicas": `"3" 7@1700000000500`,
	}
	if diff := cmp.Diff(want, shown(values)); diff != "" {
		t.Errorf("the values differ (-want +got):\n%s", diff)
	}
}

func TestResolveAsksOnceForEachAndInBatches(t *testing.T) {
	s := newStore(t)
	var refs []Ref
	for i := range 45 {
		name := fmt.Sprintf("s%02d", i)
		s.secret(name, `{"a":"1","b":"2"}`, "v")
		refs = append(refs, secretRef(name, "a"), secretRef(name, "b"), secretRef(name))
	}
	for i := range 21 {
		name := fmt.Sprintf("/p%02d", i)
		s.param(name, "x", 1)
		refs = append(refs, paramRef(name), paramRef(name))
	}
	values, err := s.resolve(refs...)
	if err != nil {
		t.Fatal(err)
	}
	if len(values) != 45*3+21 {
		t.Errorf("%d values, want %d", len(values), 45*3+21)
	}
	want := map[string][]int{"BatchGetSecretValue": {5, 20, 20}, "GetParameters": {1, 10, 10}}
	if diff := cmp.Diff(want, s.sizes()); diff != "" {
		t.Errorf("the calls differ (-want +got):\n%s", diff)
	}
}

func TestResolveReadsFurtherPages(t *testing.T) {
	s := newStore(t)
	s.paged = true
	s.secret("a", "1", "v")
	s.secret("b", "2", "v")
	s.secret("c", "3", "v")
	values, err := s.resolve(secretRef("a"), secretRef("b"), secretRef("c"))
	if err != nil || len(values) != 3 {
		t.Errorf("%d values, %v", len(values), err)
	}
}

func TestAPartOfAnARNIsNotAnotherSecretsName(t *testing.T) {
	s := newStore(t)
	s.raw = `{"SecretValues": [{"Name": "app-db", "ARN": "arn:aws:secretsmanager:eu-west-1:1:secret:app-db-AbCdEf", "SecretString": "other", "VersionId": "v"}]}`
	_, err := s.resolve(secretRef("arn:aws:secretsmanager:eu-west-1:1:secret:app"))
	if err == nil || !strings.Contains(err.Error(), "gave no answer") {
		t.Errorf("got %v, want no answer", err)
	}
}

func TestNothingToResolveAsksNobody(t *testing.T) {
	s := newStore(t)
	values, err := s.resolve()
	if err != nil || len(values) != 0 || len(s.calls) != 0 {
		t.Errorf("%d values, %d calls, %v", len(values), len(s.calls), err)
	}
}

func TestResolveNamesEverythingThatIsMissingAndNoValue(t *testing.T) {
	s := newStore(t)
	s.secret("json", `{"user": "hunter2", "none": null}`, "v")
	s.secret("text", "hunter2 is not JSON", "v")
	s.secret("list", `["hunter2"]`, "v")
	s.secret("two", `{"a":"hunter2"}{"b":"hunter2"}`, "v")
	s.secret("null", `null`, "v")
	s.secret("bare", `{}`, "v")
	s.failing["gone"] = "ResourceNotFoundException"
	s.failing["closed"] = "AccessDeniedException"
	_, err := s.resolve(secretRef("json", "password"), secretRef("json", "none"), secretRef("text", "a"), secretRef("list", "a"), secretRef("two", "a"),
		secretRef("null", "a"), secretRef("bare", "a"), secretRef("gone", "a"), secretRef("gone", "b"), secretRef("closed"), secretRef("silent"), paramRef("/gone"))
	want := []string{
		`looking up param "/gone": Parameter Store does not know it in this account and region`,
		`looking up secret "bare": it has no key "a"; it has none`,
		`looking up secret "closed": AccessDeniedException: because of AccessDeniedException (the role needs secretsmanager:BatchGetSecretValue, and secretsmanager:GetSecretValue on each secret)`,
		`looking up secret "gone": ResourceNotFoundException: because of ResourceNotFoundException`,
		`looking up secret "json": it has no key "password"; it has "none", "user"`,
		`looking up secret "json": its key "none" is null`,
		`looking up secret "list": its value is not a JSON object, so it has no keys`,
		`looking up secret "null": its value is not a JSON object, so it has no keys`,
		`looking up secret "silent": Secrets Manager gave no answer for it`,
		`looking up secret "text": its value is not a JSON object, so it has no keys`,
		`looking up secret "two": its value is more than one JSON object`,
	}
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Errorf("the problems differ (-want +got):\n%s", diff)
	}
}

func TestACallThatFailsNamesWhatItWasFor(t *testing.T) {
	t.Run("a denial names the permission", func(t *testing.T) {
		s := newStore(t)
		s.deny = "BatchGetSecretValue"
		s.param("/p", "x", 1)
		_, err := s.resolve(secretRef("a"), secretRef("b"), paramRef("/p"))
		if err == nil || err.Error() != `looking up secrets "a", "b": AccessDeniedException: User is not authorized (the role needs `+secretPermission+")" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a denial of one store and a gap in the other are one error", func(t *testing.T) {
		s := newStore(t)
		s.deny = "GetParameters"
		_, err := s.resolve(secretRef("a"), paramRef("/p"))
		if err == nil || !strings.Contains(err.Error(), `param "/p": AccessDenied`) || !strings.Contains(err.Error(), `secret "a": Secrets Manager gave no answer`) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("an unreachable store", func(t *testing.T) {
		s := newStore(t)
		s.Close()
		_, err := s.resolve(secretRef("a"))
		if err == nil || !strings.Contains(err.Error(), `looking up secret "a": `) || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a cancelled context", func(t *testing.T) {
		newStore(t)
		ctx, cancel := context.WithCancel(context.Background())
		aws, err := NewAWS(ctx, "eu-west-1")
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if _, err := aws.Resolve(ctx, []Ref{secretRef("a")}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	})
}

func TestABrokenAnswerDoesNotShowWhatItHeld(t *testing.T) {
	for name, raw := range map[string]string{
		"cut off":          `{"SecretValues": [{"Name": "a", "SecretString": "hunter2hunter2`,
		"of another type":  `{"SecretValues": [{"Name": "a", "SecretString": ["hunter2hunter2"]}]}`,
		"not JSON":         `hunter2hunter2`,
		"a binary as text": `{"SecretValues": [{"Name": "a", "SecretBinary": "hunter2hunter2!"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			s.raw = raw
			_, err := s.resolve(secretRef("a"))
			if err == nil || strings.Contains(err.Error(), "hunter") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestRefsThatNameNothingAreRefusedBeforeAnyCall(t *testing.T) {
	s := newStore(t)
	_, err := s.resolve(secretRef(""), secretRef("a\n::error::b"), Ref{Kind: Param, ID: "/p", Key: "k"}, Ref{Kind: "vault", ID: "x"},
		secretRef("a", "b\nc"), secretRef("a", strings.Repeat("k", 300)), paramRef(strings.Repeat("p", 3000)), secretRef("fine"))
	if err == nil {
		t.Fatal("no error")
	}
	problems := strings.Split(err.Error(), "\n")
	if len(problems) != 7 || len(s.calls) != 0 {
		t.Errorf("%d problems and %d calls, want 7 and 0:\n%v", len(problems), len(s.calls), err)
	}
	if i := slices.IndexFunc(problems, func(p string) bool { return len(p) > 250 }); i >= 0 {
		t.Errorf("too long: %s", problems[i])
	}
}

func TestNewAWSWantsARegion(t *testing.T) {
	newStore(t)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	if _, err := NewAWS(context.Background(), ""); err == nil || !strings.Contains(err.Error(), "no region is set") {
		t.Errorf("got %v", err)
	}
	t.Setenv("AWS_REGION", "eu-west-1")
	if _, err := NewAWS(context.Background(), ""); err != nil {
		t.Errorf("with AWS_REGION: %v", err)
	}
}
