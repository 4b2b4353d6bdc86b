package manifest

import (
	"errors"
	"strings"
	"testing"

	"github.com/org/promote/pkg/secrets"
)

func TestFillReportsEveryProblemAndNoValue(t *testing.T) {
	rendered := render(t, files("app.yaml", `
apiVersion: example.org/v1
kind: ConfigMap
metadata: {name: app}
data:
  nul: {{ secret "nul" }}
  binary: x{{ secret "binary" }}
  fine: {{ secret "binary" | b64enc }}
  count: {{ param "count" | int }}
  share: {{ param "share" | float64 }}
`))
	ref := func(kind secrets.Kind, id string) secrets.Ref { return secrets.Ref{Kind: kind, ID: id} }
	values := map[secrets.Ref]secrets.Value{
		ref(secrets.Secret, "nul"): {Data: secrets.Bytes("hunter2\x00")}, ref(secrets.Secret, "binary"): {Data: secrets.Bytes("hunter3\xff")},
		ref(secrets.Param, "count"): {Data: secrets.Bytes("hunter4")}, ref(secrets.Param, "share"): {Data: secrets.Bytes("NaN hunter5")},
	}
	_, err := rendered.Fill(values)
	wantError(t, err, "filling in (secret nul) at .data.nul of ConfigMap/app: the value is not text", "x(secret binary) at .data.binary",
		"(param count) at .data.count of ConfigMap/app: the value is not a whole number", "the value is not a number")
	if strings.Contains(err.Error(), "hunter") {
		t.Errorf("the error holds a value: %v", err)
	}
	delete(values, ref(secrets.Secret, "nul"))
	delete(values, ref(secrets.Param, "share"))
	_, err = rendered.Fill(values)
	wantError(t, err, "filling in secret nul: it was not looked up", "filling in param share: it was not looked up")
}

func TestFillLeavesTheRenderedObjectsAsTheyAre(t *testing.T) {
	rendered := render(t, configMapWith(`{{ secret "x" }}`))
	for _, value := range []string{"one", "two"} {
		objects, err := rendered.Fill(map[secrets.Ref]secrets.Value{{Kind: secrets.Secret, ID: "x"}: {Data: secrets.Bytes(value)}})
		if err != nil {
			t.Fatal(err)
		}
		if got := at(t, objects[0], "data", "value"); got != value {
			t.Errorf("got %q, want %q", got, value)
		}
	}
}

func TestADamagedTokenMakesNoObject(t *testing.T) {
	rendered := render(t, configMapWith(`{{ secret "x" }}`))
	token := rendered.ledger.mint(rendered.ledger.holes[0])
	for _, text := range []string{token[:len(token)-1], rendered.ledger.marker + "999999" + tokenEnd} {
		if _, err := rendered.ledger.split(text); !errors.Is(err, errDamaged) {
			t.Errorf("splitting %q: %v, want %v", text, err, errDamaged)
		}
	}
}

func TestABinarySecretIsTakenOnPurposeOnly(t *testing.T) {
	rendered := render(t, files("app.yaml", `
apiVersion: example.org/v1
kind: Secret
metadata: {name: app}
stringData:
  plain: {{ secret "bin" }}
  longer: "key={{ secret "bin" }}"
  quoted: {{ secret "bin" | quote }}
  escaped: {{ secret "bin" | urlquery }}
  number: {{ secret "bin" | int }}
  text: {{ secret "text" }}
data:
  encoded: {{ secret "bin" | b64enc }}
  together: {{ printf "a:%s" (secret "bin") | b64enc }}
  twice: {{ secret "bin" | b64enc | b64enc }}
`))
	values := map[secrets.Ref]secrets.Value{
		{Kind: secrets.Secret, ID: "bin"}:  {Data: secrets.Bytes("12"), Binary: true},
		{Kind: secrets.Secret, ID: "text"}: {Data: secrets.Bytes("12")},
	}
	_, err := rendered.Fill(values)
	const refused = " of Secret/app: the secret is binary (SecretBinary); take it on purpose with b64enc"
	wantError(t, err, "(secret bin) at .stringData.plain"+refused, ".stringData.longer"+refused, ".stringData.quoted"+refused,
		".stringData.escaped"+refused, ".stringData.number"+refused)
	for _, fine := range []string{"encoded", "together", "twice", "text"} {
		if strings.Contains(err.Error(), "."+fine+" ") {
			t.Errorf("%s is refused: %v", fine, err)
		}
	}
	rendered = render(t, files("app.yaml", "{apiVersion: v1, kind: Secret, metadata: {name: app}, data: {a: {{ secret \"bin\" | b64enc }}}}"))
	values[secrets.Ref{Kind: secrets.Secret, ID: "bin"}] = secrets.Value{Data: secrets.Bytes("\x00\xff"), Binary: true}
	objects, err := rendered.Fill(values)
	if err != nil {
		t.Fatal(err)
	}
	if got := at(t, objects[0], "data", "a"); got != "AP8=" {
		t.Errorf("got %q, want AP8=", got)
	}
}
