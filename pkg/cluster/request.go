package cluster

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/org/promote/pkg/mask"
)

// locate finds the URL path of an object; names that would change the path's shape are refused.
func (c *Cluster) locate(ctx context.Context, ref ObjectRef) ([]string, error) {
	for _, s := range []string{ref.Name, ref.Namespace} {
		if problems := content.IsPathSegmentName(s); len(problems) > 0 {
			return nil, fmt.Errorf("naming %s: %q %s", ref, s, strings.Join(problems, ", "))
		}
	}
	if ref.Name == "" {
		return nil, fmt.Errorf("naming a %s: it has no name", ref.Kind)
	}
	r, err := c.mapper.resource(ctx, ref.gvk())
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", ref, err)
	}
	if !r.namespaced {
		return r.path("", ref.Name), nil
	}
	if ref.Namespace != c.Namespace {
		return nil, fmt.Errorf("finding %s: promote works in namespace %q only", ref, c.Namespace)
	}
	return r.path(ref.Namespace, ref.Name), nil
}

// ref names an object as it will be in this namespace.
func (c *Cluster) ref(o *unstructured.Unstructured) ObjectRef {
	ref := RefOf(o)
	ref.UID = ""
	switch {
	case c.mapper.whole(ref.gvk()):
		ref.Namespace = ""
	case ref.Namespace == "":
		ref.Namespace = c.Namespace
	}
	return ref
}

// read gets one object of any kind.
func (c *Cluster) read(ctx context.Context, ref ObjectRef) (*unstructured.Unstructured, error) {
	at, err := c.locate(ctx, ref)
	if err != nil {
		return nil, err
	}
	data, err := answer(c.raw.Get().AbsPath(at...).Do(ctx))
	if err != nil {
		return nil, err
	}
	o := &unstructured.Unstructured{}
	if err := o.UnmarshalJSON(data); err != nil {
		return nil, fmt.Errorf("parsing %s: %w", ref, err)
	}
	return o, nil
}

// asMetadata asks for an answer without the object's content.
const asMetadata = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"

// asMetadataList asks for a list without the objects' content.
const asMetadataList = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"

// applyMode is how one server-side apply is sent.
type applyMode struct {
	dryRun bool
	// force takes fields from other managers: from ourselves under another operation, or from anybody when the user asks for it.
	force bool
	// at is the version that the apply holds for; nil holds for any.
	at *version
}

// version is an object as it was read; the zero version is an object that did not exist.
type version struct {
	uid             types.UID
	resourceVersion string
}

// absent is a resourceVersion that no object in a namespace ever has: the API server creates with it what does not exist, and
// refuses it for what does. Of an update the UID makes sure that it does not bring back what was deleted meanwhile.
const absent = "1"

func versionOf(o *unstructured.Unstructured) version {
	return version{o.GetUID(), o.GetResourceVersion()}
}

// on makes an apply hold for this version alone.
func (v *version) on(o *unstructured.Unstructured) {
	switch {
	case v == nil:
	case v.resourceVersion == "":
		o.SetResourceVersion(absent)
	default:
		o.SetUID(v.uid)
		o.SetResourceVersion(v.resourceVersion)
	}
}

// applyOnce sends one server-side apply with strict validation.
func (c *Cluster) applyOnce(ctx context.Context, o *unstructured.Unstructured, mode applyMode) (result *unstructured.Unstructured, created bool, err error) {
	at, err := c.locate(ctx, c.ref(o))
	if err != nil {
		return nil, false, err
	}
	manager := c.managerFor(o)
	o = o.DeepCopy()
	o.SetNamespace(c.ref(o).Namespace)
	o.SetManagedFields(nil)
	if o.GetNamespace() == "" {
		anonymous(o)
	} else {
		c.member(o)
	}
	mode.at.on(o)
	if l := c.lock.Load(); l != nil && mode.at != nil && mode.at.resourceVersion == "" && !mode.dryRun {
		setAnnotation(o, AnnotationToken, fmt.Sprint(l.token))
	}
	data, err := o.MarshalJSON()
	if err != nil {
		return nil, false, fmt.Errorf("encoding %s: %w", c.ref(o), err)
	}
	req := c.raw.Patch(types.ApplyPatchType).AbsPath(at...).Param("fieldManager", manager).Param("fieldValidation", "Strict").
		Param("force", fmt.Sprint(mode.force)).Body(data)
	if mode.dryRun {
		req = req.Param("dryRun", metav1.DryRunAll)
	}
	got, err := answer(req.Do(ctx).WasCreated(&created))
	if err != nil {
		return nil, false, err
	}
	result = &unstructured.Unstructured{}
	if err := result.UnmarshalJSON(got); err != nil {
		return nil, false, fmt.Errorf("parsing %s: %w", c.ref(o), err)
	}
	return result, created, nil
}

func setAnnotation(o *unstructured.Unstructured, key, value string) {
	annotations := o.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[key] = value
	o.SetAnnotations(annotations)
}

// hide takes the values of a Secret out of a text about it: the API server quotes what it refuses. It does so also for values
// that no store gave, which the run's own redaction does not know.
func hide(o *unstructured.Unstructured, text string) string {
	if o.GetKind() != "Secret" {
		return text
	}
	var values mask.Set
	for _, field := range []string{"data", "stringData"} {
		fields, _, _ := unstructured.NestedMap(o.Object, field)
		for _, v := range fields {
			s, ok := v.(string)
			if !ok {
				raw, _ := json.Marshal(v)
				s = string(raw)
			}
			values.Add([]byte(s))
			if plain, err := base64.StdEncoding.DecodeString(s); err == nil && field == "data" {
				values.Add(plain)
			}
		}
	}
	return values.Text(text)
}

// failedOn wraps an error about an object, its secret values hidden.
func (c *Cluster) failedOn(doing string, o *unstructured.Unstructured, err error) error {
	if text := err.Error(); hide(o, text) != text {
		err = &redacted{err, hide(o, text)}
	}
	return &ObjectError{Ref: c.ref(o), cause: c.failed(doing+" "+c.ref(o).String(), err)}
}

// answer is a request's body, or the API server's error with all its details; Result.Raw alone would drop those.
func answer(r rest.Result) ([]byte, error) {
	if err := r.Error(); err != nil {
		return nil, err
	}
	return r.Raw()
}
