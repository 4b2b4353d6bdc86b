package secrets

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
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
	values, err := Static{known: "5"}.Resolve(context.Background(), []Ref{known})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"param /p": `"5" static`}, shown(values)); diff != "" {
		t.Errorf("the values differ (-want +got):\n%s", diff)
	}
	if _, err := (Static{}).Resolve(context.Background(), []Ref{{Kind: Secret, ID: "a b"}, known}); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("got %v, want both problems", err)
	}
}
