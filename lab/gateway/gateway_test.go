package gateway

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestAHeldPort(t *testing.T) {
	p, err := holdPort()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("can be listened at while it is held", func(t *testing.T) {
		listener, err := net.Listen("tcp", p.address())
		if err != nil {
			t.Fatal(err)
		}
		listener.Close()
	})
	t.Run("is nobody else's", func(t *testing.T) {
		// The kernel picks from those that are not bound; many draws would meet this one.
		for range 200 {
			other, err := holdPort()
			if err != nil {
				t.Fatal(err)
			}
			defer other.release()
			if other.number == p.number {
				t.Fatalf("port %d was given twice", p.number)
			}
		}
	})
	if err := p.release(); err != nil {
		t.Error(err)
	}
}

func TestHolds(t *testing.T) {
	object := func(condition map[string]any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"metadata": map[string]any{"generation": int64(3)},
			"status":   map[string]any{"conditions": []any{condition}},
		}}
	}
	for name, c := range map[string]struct {
		condition map[string]any
		want      bool
	}{
		"true of the present generation":   {map[string]any{"type": "Programmed", "status": "True", "observedGeneration": int64(3)}, true},
		"true of an earlier generation":    {map[string]any{"type": "Programmed", "status": "True", "observedGeneration": int64(2)}, false},
		"true of a kind without any":       {map[string]any{"type": "Programmed", "status": "True"}, true},
		"false":                            {map[string]any{"type": "Programmed", "status": "False", "observedGeneration": int64(3)}, false},
		"another condition that is true":   {map[string]any{"type": "Accepted", "status": "True", "observedGeneration": int64(3)}, false},
		"a condition that can't be parsed": {map[string]any{"type": 1, "status": "True"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := holds(object(c.condition), "Programmed"); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestReadKinds(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("refuses a folder without any", func(t *testing.T) {
		write("policy.yaml", "kind: ValidatingAdmissionPolicy\nmetadata: {name: guard}\n")
		if _, err := readKinds(folder); err == nil || !strings.Contains(err.Error(), folder) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("reads kinds and nothing else", func(t *testing.T) {
		write("routes.yaml", "kind: CustomResourceDefinition\nmetadata: {name: routes}\n")
		kinds, err := readKinds(folder)
		if err != nil || len(kinds) != 1 || kinds[0].GetName() != "routes" {
			t.Errorf("got %v, %v", kinds, err)
		}
	})
}

func TestTailKeepsTheLastLines(t *testing.T) {
	log := &tail{}
	for i := range 100 {
		fmt.Fprintf(log, "line %d\n", i)
	}
	got := log.String()
	if strings.Contains(got, "line 69\n") || !strings.Contains(got, "line 70\n") || !strings.HasSuffix(got, "line 99") {
		t.Errorf("got %s", got)
	}
}
