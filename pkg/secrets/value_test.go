package secrets

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

func TestAValueNeverPrints(t *testing.T) {
	value := Value{Data: Bytes("hunter2"), Version: "v1"}
	nested := map[Ref]Value{{Kind: Secret, ID: "a"}: value}
	printed := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%o", "%c", "%U", "%10.3s", "%t"} {
		for name, v := range map[string]any{"data": value.Data, "value": value, "pointer": &value, "map": nested, "slice": []Value{value}} {
			printed[verb+" of a "+name] = fmt.Sprintf(verb, v)
		}
	}
	asJSON, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	asYAML, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	asXML, err := xml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", value, "data", value.Data)
	printed["JSON"], printed["YAML"], printed["XML"], printed["slog"] = string(asJSON), string(asYAML), string(asXML), log.String()
	printed["an error"] = fmt.Errorf("reading %v: %s", value, value.Data).Error()
	for name, text := range printed {
		for _, leak := range []string{"hunter2", "68756e746572", "68756E746572", "68 75 6e", "104 117", "aHVudGVy", "0x68", "150 165", "U+0068", "h u n"} {
			if strings.Contains(text, leak) {
				t.Errorf("%s shows the value: %s", name, text)
			}
		}
		if !strings.Contains(text, "(secret)") {
			t.Errorf("%s does not say that there is a secret: %s", name, text)
		}
	}
}

func TestStatic(t *testing.T) {
	known := Ref{Kind: Param, ID: "/p"}
	values, err := Static{known: "5"}.Resolve(context.Background(), []Ref{known, {Kind: Secret, ID: "checkout/db", Key: "password"}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"param /p": `"5" static`, "secret checkout/db#password": `"(secret checkout/db#password)" `}
	if diff := cmp.Diff(want, shown(values)); diff != "" {
		t.Errorf("the values differ (-want +got):\n%s", diff)
	}
	if values[known].StandIn || !values[Ref{Kind: Secret, ID: "checkout/db", Key: "password"}].StandIn {
		t.Error("exactly the value that is not known must be a stand-in")
	}
	if _, err := (Static{}).Resolve(context.Background(), []Ref{{Kind: Secret, ID: "a b"}, {Kind: Param}}); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("got %v, want both problems", err)
	}
}

func TestMaskFormsCoverHowASecretIsWritten(t *testing.T) {
	data := "{\"password\": \"p\\\"ss<w>ord & \\u00e9\", \"pin\": 12345678901234567890, \"lines\": [\"first line\\nsecond line\"]}"
	forms := MaskForms([]byte(data))
	covered := func(text string) bool {
		for _, form := range forms {
			text = strings.ReplaceAll(text, form, "***")
		}
		return strings.Trim(text, "*") == ""
	}
	password := `p"ss<w>ord & é`
	for name, text := range map[string]string{
		"the whole":           data,
		"its base64":          base64.StdEncoding.EncodeToString([]byte(data)),
		"a leaf":              password,
		"a leaf's base64":     base64.StdEncoding.EncodeToString([]byte(password)),
		"unpadded":            base64.RawStdEncoding.EncodeToString([]byte(password)),
		"in the URL alphabet": base64.URLEncoding.EncodeToString([]byte(password)),
		"hex":                 fmt.Sprintf("%x", password),
		"URL escapes":         url.QueryEscape(password),
		"path escapes":        url.PathEscape(password),
		"JSON escapes":        `p\"ss<w>ord & é`,
		"HTML-safe JSON":      `p\"ss\u003cw\u003eord \u0026 é`,
		"a number":            "12345678901234567890",
		"a line of a leaf":    "second line",
	} {
		t.Run(name, func(t *testing.T) {
			if !covered(text) {
				t.Errorf("%q is not covered", text)
			}
		})
	}
	t.Run("inside a longer base64, at each alignment", func(t *testing.T) {
		for _, before := range []string{"", "u", "us", "use"} {
			for _, after := range []string{"", "@", "@h", "@ho"} {
				text := base64.StdEncoding.EncodeToString([]byte(before + password + after))
				masked := text
				for _, form := range forms {
					masked = strings.ReplaceAll(masked, form, "")
				}
				if kept := len(masked); kept > len(text)-len(password) {
					t.Errorf("%d of %d characters of %q are left", kept, len(text), text)
				}
			}
		}
	})
	t.Run("and nothing so short that it would ruin the log", func(t *testing.T) {
		for _, form := range MaskForms([]byte("a\n{\nabc\n{\"k\":true}\n")) {
			if len(form) < 4 || form == "true" {
				t.Errorf("%q is masked", form)
			}
		}
	})
	t.Run("and the longest first", func(t *testing.T) {
		for i := 1; i < len(forms); i++ {
			if len(forms[i]) > len(forms[i-1]) {
				t.Fatalf("%q stands behind the shorter %q", forms[i], forms[i-1])
			}
		}
	})
	t.Run("and empty data has none", func(t *testing.T) {
		if forms := MaskForms(nil); len(forms) != 0 {
			t.Errorf("got %q", forms)
		}
	})
}
