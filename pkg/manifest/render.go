package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/org/promote/pkg/secrets"
)

const (
	// maxRendered bounds the text of all rendered files together, in bytes: a loop that never ends must not fill the runner's memory.
	maxRendered = 16 << 20
	// maxIncludes bounds includes within includes. Go cannot recover from a stack that overflows.
	maxIncludes = 100
)

// Input is what templates see: {{ .Service }}, {{ .Image }}, {{ .Values.replicas }} and so on.
type Input struct {
	Service, Environment, Namespace string
	// Image is repository@digest; Digest is its digest alone.
	Image, Digest string
	// Commit is the full hash of the change's head.
	Commit, Repository string
	PullRequest        int
	// Values is .Values; templates work on a copy.
	Values map[string]any
}

// Rendered is what the templates gave: parsed objects with placeholders in them.
type Rendered struct {
	objects []object
	ledger  *ledger
	unknown []error
}

// object is a parsed object and where it came from.
type object struct {
	*unstructured.Unstructured
	at position
}

// renderer renders the files of one Render.
type renderer struct {
	ledger *ledger
	root   *template.Template
	depth  int
	steps  int
	kept   int // bytes of included texts
	marks  map[*byte]mark
	// sheet is what the file that is being rendered writes to.
	sheet *sheet
}

// Render executes the templates and parses what they give. Files whose name begins with "_" only define templates for include.
// Every file that fails, and every object with a problem, is in the error, with the file and line.
func Render(files []File, in Input) (*Rendered, error) {
	ledger, err := newLedger(files, in)
	if err != nil {
		return nil, err
	}
	r := &renderer{ledger: ledger, root: template.New("").Option("missingkey=error"), marks: map[*byte]mark{}}
	problems := r.define(files)
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	rendered := &Rendered{ledger: ledger}
	var sheets []*sheet
	size := 0
	for _, file := range files {
		if isPartial(file.Name) {
			continue
		}
		text, err := r.execute(file, in)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if size += text.Len(); size > maxRendered {
			return nil, fmt.Errorf("rendering %s: %w", names(files), errTooLarge)
		}
		sheets = append(sheets, text)
	}
	objects, err := parseSheets(sheets)
	rendered.objects = objects
	if err != nil {
		problems = append(problems, err)
	}
	problems = append(problems, duplicates(rendered.objects, in.Namespace)...)
	problems = append(problems, ledger.places(rendered.objects)...)
	wrong, unknown := check(ledger, rendered.objects)
	problems, rendered.unknown = append(problems, wrong...), unknown
	for i, problem := range problems {
		problems[i] = ledger.describeError(problem)
	}
	if len(problems) == 0 && len(rendered.objects) == 0 {
		problems = append(problems, fmt.Errorf("rendering %s: the templates gave no objects", names(files)))
	}
	if len(problems) > 0 {
		// All at once: who mends a template wants to know the misspelt fields too.
		return nil, errors.Join(append(problems, rendered.unknown...)...)
	}
	return rendered, nil
}

// Refs returns what has to be looked up, sorted, each once. A lookup that ended in a comment or in no object is not among them.
func (r *Rendered) Refs() []secrets.Ref {
	var refs []secrets.Ref
	for _, o := range r.objects {
		visit(o.Object, nil, func(_ []string, text string) {
			if r.ledger.holds(text) {
				refs = append(refs, r.ledger.refs(text)...)
			}
		})
	}
	slices.SortFunc(refs, secrets.Ref.Compare)
	return slices.Compact(refs)
}

// Kinds returns the kinds of the objects, each once, sorted, so that rights can be checked before any secret is read.
func (r *Rendered) Kinds() []schema.GroupVersionKind {
	found := map[schema.GroupVersionKind]bool{}
	for _, o := range r.objects {
		found[o.GroupVersionKind()] = true
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b schema.GroupVersionKind) int {
		return strings.Compare(a.String(), b.String())
	})
}

// define parses the files, each alone, so that two definitions of one template are found instead of the last one winning.
func (r *renderer) define(files []File) []error {
	var problems []error
	defined := map[string]string{}
	functions := r.functions()
	r.root.Funcs(functions).Funcs(template.FuncMap{decider: decide})
	parsed, errs := make([]map[string]*parse.Tree, len(files)), make([]error, len(files))
	onAllCores(len(files), func(i int) {
		parsed[i], errs[i] = parse.Parse(files[i].Name, string(files[i].Data), "", "", templateOwn, functions)
	})
	for i, file := range files {
		if errs[i] != nil {
			problems = append(problems, explain(errs[i], nil))
			continue
		}
		marks := newInstrument(file, r.marks)
		for _, name := range slices.Sorted(maps.Keys(parsed[i])) {
			tree := parsed[i][name]
			if before, ok := defined[name]; ok {
				problems = append(problems, fmt.Errorf("%s: the template %q is already defined in %s", file.Name, name, before))
				continue
			}
			defined[name] = file.Name
			marks.tree = tree
			marks.list(tree.Root)
			if _, err := r.root.AddParseTree(name, tree); err != nil {
				problems = append(problems, explain(err, nil))
			}
		}
	}
	return problems
}

// templateOwn names text/template's own functions, as its documentation lists them. The parser asks for names alone, and gets them
// here: to hand all functions to a template of each file's own costs more than the parsing.
var templateOwn = func() map[string]any {
	names := map[string]any{}
	for _, name := range []string{
		"and", "call", "html", "index", "slice", "js", "len", "not", "or", "print", "printf", "println", "urlquery",
		"eq", "ge", "gt", "le", "lt", "ne",
	} {
		names[name] = true
	}
	return names
}()

// execute renders one file.
func (r *renderer) execute(file File, in Input) (*sheet, error) {
	out := &sheet{file: file.Name, marks: r.marks, steps: &r.steps}
	if r.root.Lookup(file.Name) == nil {
		return out, nil // A file of nothing but blanks has no tree.
	}
	data := in.data()
	r.depth, r.sheet = 0, out
	if err := r.root.ExecuteTemplate(out, file.Name, data); err != nil {
		for _, limit := range []error{errTooLarge, errTooLong} {
			if errors.Is(err, limit) {
				err = fmt.Errorf("%s: %w", file.Name, limit)
			}
		}
		return nil, explain(err, data)
	}
	text := out.String()
	if at := strings.Index(text, noValue); at >= 0 && !bytes.Contains(file.Data, []byte(noValue)) {
		line := strings.Count(text[:at], "\n")
		return nil, fmt.Errorf("%s: a value that is null was printed (%s); give it a value, or use default",
			out.locate(line+1), shorten(strings.TrimSpace(strings.Split(text, "\n")[line])))
	}
	return out, nil
}

// noValue is what text/template prints for null. Helm removes it in silence, and an empty field is what gets deployed.
const noValue = "<no value>"

// include renders a template by name, so that its text can be piped on, unlike {{ template }}.
func (r *renderer) include(name string, data any) (any, error) {
	if r.root.Lookup(name) == nil {
		return nil, fmt.Errorf("no template %q is defined", name)
	}
	if r.depth++; r.depth > maxIncludes {
		return nil, fmt.Errorf("includes are nested more than %d deep; does %q include itself?", maxIncludes, name)
	}
	defer func() { r.depth-- }()
	out := &sheet{file: name, marks: r.marks, steps: &r.steps}
	if err := r.root.ExecuteTemplate(out, name, data); err != nil {
		return nil, err
	}
	if r.kept += out.Len(); len(r.sheet.included) < maxIncluded && r.kept <= maxRendered {
		r.sheet.included = append(r.sheet.included, out)
	}
	if text := out.String(); r.ledger.holds(text) {
		return Opaque{text: text}, nil
	}
	return out.String(), nil
}

// data is a map and not a struct, so that a missing name is reported like a missing value.
func (in Input) data() map[string]any {
	values := map[string]any{}
	if in.Values != nil {
		values = runtime.DeepCopyJSON(in.Values)
	}
	return map[string]any{
		"Service": in.Service, "Environment": in.Environment, "Namespace": in.Namespace, "Image": in.Image, "Digest": in.Digest,
		"Commit": in.Commit, "Repository": in.Repository, "PullRequest": in.PullRequest, "Values": values,
	}
}

func isPartial(name string) bool { return strings.HasPrefix(path.Base(name), "_") }

func names(files []File) string {
	all := make([]string, len(files))
	for i, file := range files {
		all[i] = file.Name
	}
	if len(all) == 0 {
		return "no files"
	}
	return strings.Join(all, ", ")
}

var errTooLarge = fmt.Errorf("the rendered text is larger than %d MiB", maxRendered>>20)

// bounded is a buffer that refuses to grow past maxRendered.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxRendered {
		return 0, errTooLarge
	}
	return b.Buffer.Write(p)
}
