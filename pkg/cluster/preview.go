package cluster

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Preview names what one pull request is shown by: a namespace for one service, made for it and removed with it. No text that
// a pull request can choose (a branch, a title) is in it.
type Preview struct {
	// Repository is owner/name.
	Repository  string
	Service     string
	Environment string
	PullRequest int
}

// Found is a preview's namespace as it was read.
type Found struct {
	Preview
	Name string
	// Expires is when its time is up; zero when that cannot be read.
	Expires time.Time
	// Leaving says that it is being deleted.
	Leaving bool

	uid     types.UID
	version string
}

// ForeignError says that a namespace has a preview's name and is not that preview's: it is neither used nor removed.
type ForeignError struct {
	Namespace string
	Wanted    Preview
	// Found is what it is instead, in words.
	Found string
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("Namespace/%s is not the preview of %s in pull request #%d of %s: %s: it is left alone; rename the service, or have its owner remove the namespace",
		e.Namespace, e.Wanted.Service, e.Wanted.PullRequest, e.Wanted.Repository, e.Found)
}

const (
	// nameCap is the longest name of a namespace, RFC 1123, and the longest value of a label.
	nameCap = 63
	// sumLength is how much of a hash keeps shortened names apart.
	sumLength = 8
)

var dnsLabel = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// Check refuses what could not be a namespace's name or label.
func (p Preview) Check() error {
	var problems []error
	for _, field := range []struct{ name, value string }{{"service", p.Service}, {"environment", p.Environment}} {
		if len(field.value) > nameCap || !dnsLabel.MatchString(field.value) {
			problems = append(problems, fmt.Errorf("naming a preview: %q cannot be the %s: it must be 1 to 63 of a-z, 0-9 and -, beginning and ending with a letter or digit",
				field.value, field.name))
		}
	}
	if p.PullRequest <= 0 {
		problems = append(problems, fmt.Errorf("naming a preview: %d is not a pull request's number", p.PullRequest))
	}
	if p.Repository == "" {
		problems = append(problems, errors.New("naming a preview: the repository must be named"))
	}
	return errors.Join(problems...)
}

// Namespace is <service>-pr-<number>. Where that is longer than a name may be, the service is cut and a hash of it keeps two
// apart. Two repositories with a service of one name get the same; the second finds a [ForeignError].
func (p Preview) Namespace() string {
	return bounded(p.Service, "-pr-"+strconv.Itoa(p.PullRequest))
}

// bounded puts an end behind a text that is cut where both together would be too long.
func bounded(text, end string) string {
	if len(text)+len(end) <= nameCap {
		return text + end
	}
	sum := fmt.Sprintf("-%x", sha256.Sum256([]byte(text)))[:1+sumLength]
	return strings.TrimRight(text[:nameCap-len(end)-len(sum)], "-._") + sum + end
}

func (p Preview) labels() map[string]string {
	return map[string]string{
		LabelEnvironment: p.Environment, LabelService: p.Service, LabelPreview: strconv.Itoa(p.PullRequest),
		LabelRepository: repositoryLabel(p.Repository),
	}
}

// repositoryLabel is for people's `kubectl get --selector`: a label takes no slash, and not as much as a repository's name may have.
func repositoryLabel(repository string) string {
	return strings.Trim(bounded(strings.ReplaceAll(strings.ToLower(repository), "/", "."), ""), "-._")
}

func (p Preview) annotations(run string, expires time.Time) map[string]string {
	return map[string]string{AnnotationRepository: p.Repository, AnnotationRun: run, AnnotationExpires: expires.UTC().Format(time.RFC3339)}
}

// same says whether both are the preview of one service in one pull request. GitHub's names know no case. Which environment it
// was made for does not matter: it is the same pull request's, and to be removed with it.
func (p Preview) same(other Preview) bool {
	return strings.EqualFold(p.Repository, other.Repository) && p.Service == other.Service && p.PullRequest == other.PullRequest
}

// previewOf reads what promote wrote on a namespace when it made it; an error says why it is no preview. One that carries the
// labels of a preview under another name was not made by promote either.
func previewOf(n *corev1.Namespace) (Found, error) {
	number, err := strconv.Atoi(n.Labels[LabelPreview])
	f := Found{
		Preview: Preview{
			Repository: n.Annotations[AnnotationRepository], Service: n.Labels[LabelService],
			Environment: n.Labels[LabelEnvironment], PullRequest: number,
		},
		Name: n.Name, Leaving: n.DeletionTimestamp != nil, uid: n.UID, version: n.ResourceVersion,
	}
	switch {
	case n.Labels[LabelPreview] == "":
		return Found{}, fmt.Errorf("it has no label %s, so promote did not make it", LabelPreview)
	case err != nil || f.Check() != nil:
		return Found{}, errors.New("its labels and annotations are not those that promote writes")
	case n.Name != f.Namespace():
		return Found{}, fmt.Errorf("its labels are those of Namespace/%s", f.Namespace())
	}
	f.Expires, _ = time.Parse(time.RFC3339, n.Annotations[AnnotationExpires])
	return f, nil
}

// is refuses a namespace that is not the wanted preview.
func (f Found) is(wanted Preview) error {
	if f.same(wanted) {
		return nil
	}
	return &ForeignError{
		Namespace: f.Name, Wanted: wanted,
		Found: fmt.Sprintf("it is that of %s in pull request #%d of %s", f.Service, f.PullRequest, f.Repository),
	}
}

// Due says whether a preview is to be removed now, and why. One whose time cannot be read stays for as long as its pull
// request is open.
func (f Found) Due(open bool, now time.Time) (why string, due bool) {
	switch {
	case !open:
		return "the pull request is closed", true
	case !f.Expires.IsZero() && !now.Before(f.Expires):
		return "its time was up at " + f.Expires.UTC().Format(time.RFC3339), true
	}
	return "", false
}
