package failing

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Case is one way in which a workload does not come up, or comes up late.
type Case struct {
	// Name is the folder's.
	Name string `json:"-"`
	dir  string

	// About is a sentence.
	About string `json:"about"`
	// Subject is what is waited for, Kind/name.
	Subject string `json:"subject"`
	// Shows is a text that the first object has from which the trouble can be known.
	Shows string `json:"shows"`
	// For is how long is recorded.
	For metav1.Duration `json:"for"`
	// Later is when later.yaml is applied, counted from the manifest; 0 when there is none.
	Later metav1.Duration `json:"later"`
	// Leaving is a pod of the manifest, Pod/name, that is told to go before the subject is made.
	Leaving string `json:"leaving"`
	// Node asks for a node without a kubelet, which is played until LostAfter (0: to the end).
	Node      bool            `json:"node"`
	LostAfter metav1.Duration `json:"lostAfter"`
	Want      Want            `json:"want"`
}

// Want is what waiting must conclude.
type Want struct {
	// Outcome is "fails", "waits" (until its time is over) or "ready".
	Outcome string `json:"outcome"`
	// Reason is the failure's, Says what its words must contain; of a case that waits, what a line of progress must contain.
	Reason string   `json:"reason"`
	Says   []string `json:"says"`
	// Late is "waits" for a failure that a wait which begins after the fact must not take for one of its own.
	Late string `json:"late"`
	// Container, Exit, Log, Lines (how many of the log) and Event are what the diagnosis must hold.
	Container string `json:"container"`
	Exit      string `json:"exit"`
	Log       string `json:"log"`
	Lines     int    `json:"lines"`
	Event     string `json:"event"`
}

// Load reads all cases below a folder.
func Load(dir string) ([]Case, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "case.yaml"))
	if err != nil {
		return nil, err
	}
	var cases []Case
	var errs []error
	for _, file := range files {
		c := Case{dir: filepath.Dir(file), Name: filepath.Base(filepath.Dir(file))}
		data, err := os.ReadFile(file)
		if err == nil {
			err = yaml.UnmarshalStrict(data, &c)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("reading %q: %w", file, err))
			continue
		}
		cases = append(cases, c)
	}
	if len(files) == 0 {
		errs = append(errs, fmt.Errorf("reading %q: no case is there", dir))
	}
	return cases, errors.Join(errs...)
}

// Kind and ObjectName take Subject apart.
func (c Case) Kind() string { kind, _, _ := strings.Cut(c.Subject, "/"); return kind }

// ObjectName is the name of what is waited for.
func (c Case) ObjectName() string { _, name, _ := strings.Cut(c.Subject, "/"); return name }

// Recording is where the changes are kept.
func (c Case) Recording() string { return filepath.Join(c.dir, "changes.yaml") }

// values are what a manifest may name: {{.Image}}.
type values struct {
	Image, Registry, Locked, Slow, Namespace string
}

// objects reads one of the case's manifests; a file that is not there has none.
func (c Case) objects(file string, v values) ([]*unstructured.Unstructured, error) {
	path := filepath.Join(c.dir, file)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	parsed, err := template.New(path).Parse(string(text))
	if err != nil {
		return nil, err
	}
	var filled bytes.Buffer
	if err := parsed.Execute(&filled, v); err != nil {
		return nil, err
	}
	var objs []*unstructured.Unstructured
	for doc := range strings.SplitSeq(filled.String(), "\n---\n") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(doc), &o.Object); err != nil {
			return nil, fmt.Errorf("parsing %q: %w", path, err)
		}
		objs = append(objs, o)
	}
	return objs, nil
}
