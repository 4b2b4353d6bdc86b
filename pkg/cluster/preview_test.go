package cluster

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

var shop = Preview{Repository: "acme/shop", Service: "checkout", Environment: "test", PullRequest: 7}

// with is a preview with one thing changed.
func (p Preview) with(change func(*Preview)) Preview {
	change(&p)
	return p
}

func TestAPreviewsName(t *testing.T) {
	for _, test := range []struct {
		name, service string
		number        int
		want          string
	}{
		{"the service and the number", "checkout", 7, "checkout-pr-7"},
		{"as long as a name may be", strings.Repeat("a", 58), 1, strings.Repeat("a", 58) + "-pr-1"},
		{"cut, with a hash of the whole, when longer", strings.Repeat("a", 59), 1, strings.Repeat("a", 49) + "-HASH-pr-1"},
		{"cut before a hyphen, not after it", "b" + strings.Repeat("ab-", 19) + "c", 1, "b" + strings.Repeat("ab-", 15) + "ab-HASH-pr-1"},
	} {
		got := Preview{Service: test.service, PullRequest: test.number}.Namespace()
		want := strings.Replace(test.want, "HASH", fmt.Sprintf("%x", sha256.Sum256([]byte(test.service)))[:8], 1)
		if got != want || len(got) > 63 {
			t.Errorf("%s: %q (%d), want %q", test.name, got, len(got), want)
		}
	}
}

func TestAPreviewIsChecked(t *testing.T) {
	if err := shop.Check(); err != nil {
		t.Error(err)
	}
	err := Preview{Service: "Check_out", Environment: "te/st", PullRequest: -1}.Check()
	for _, want := range []string{`"Check_out"`, `"te/st"`, "-1", "repository"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want one that names %s", err, want)
		}
	}
}

func TestTheRepositorysLabelIsOneThatKubernetesTakes(t *testing.T) {
	for repository, want := range map[string]string{
		"Acme/Shop": "acme.shop", "acme/.github": "acme..github", "acme/-": "acme",
		"acme/" + strings.Repeat("x", 100): "",
	} {
		got := repositoryLabel(repository)
		if len(got) > 63 || got != strings.Trim(got, "-._") || want != "" && got != want {
			t.Errorf("%q gives %q, want %q", repository, got, want)
		}
	}
}

// made is the namespace as promote makes it.
func made(p Preview, expires time.Time) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: p.Namespace(), UID: "u", ResourceVersion: "3", Labels: p.labels(), Annotations: p.annotations("4711-1", expires),
	}}
}

func TestWhoseNamespaceItIs(t *testing.T) {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	t.Run("what promote writes is what it reads", func(t *testing.T) {
		got, err := previewOf(made(shop, at))
		want := Found{Preview: shop, Name: "checkout-pr-7", Expires: at, uid: "u", version: "3"}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Found{})); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
	})
	for name, change := range map[string]func(*corev1.Namespace){
		"no label":                         func(n *corev1.Namespace) { delete(n.Labels, LabelPreview) },
		"no annotation of the repository":  func(n *corev1.Namespace) { delete(n.Annotations, AnnotationRepository) },
		"a number that is none":            func(n *corev1.Namespace) { n.Labels[LabelPreview] = "main" },
		"no service":                       func(n *corev1.Namespace) { delete(n.Labels, LabelService) },
		"labels copied to another name":    func(n *corev1.Namespace) { n.Name = "prod" },
		"another number than its name has": func(n *corev1.Namespace) { n.Labels[LabelPreview] = "8" },
	} {
		n := made(shop, at)
		change(n)
		if got, err := previewOf(n); err == nil {
			t.Errorf("with %s it is taken for %+v", name, got)
		}
	}
	found, err := previewOf(made(shop, at))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		wanted Preview
		own    bool
	}{
		"the very one":                       {shop, true},
		"spelled as GitHub also takes it":    {shop.with(func(p *Preview) { p.Repository = "Acme/Shop" }), true},
		"made for another environment":       {shop.with(func(p *Preview) { p.Environment = "preview" }), true},
		"another repository's":               {shop.with(func(p *Preview) { p.Repository = "evil/shop" }), false},
		"another pull request's":             {shop.with(func(p *Preview) { p.PullRequest = 8 }), false},
		"another service of that repository": {shop.with(func(p *Preview) { p.Service = "cart" }), false},
	} {
		var foreign *ForeignError
		if err := found.is(test.wanted); (err == nil) != test.own || err != nil && !errors.As(err, &foreign) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhenAPreviewIsDue(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		expires time.Time
		open    bool
		due     bool
	}{
		"open and in time":                    {now.Add(time.Second), true, false},
		"open and its time is up":             {now, true, true},
		"closed and in time":                  {now.Add(time.Hour), false, true},
		"open, with a time nobody can read":   {time.Time{}, true, false},
		"closed, with a time nobody can read": {time.Time{}, false, true},
	} {
		why, due := Found{Expires: test.expires}.Due(test.open, now)
		if due != test.due || due == (why == "") {
			t.Errorf("%s: %q, %t", name, why, due)
		}
	}
}

func TestThePreviewRolesAreThoseOfTheRole(t *testing.T) {
	read := func(file string) []string {
		data, err := os.ReadFile("../../docs/" + file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(string(data), "\n---\n")
	}
	roles := map[string][]rbacv1.PolicyRule{}
	for _, document := range slices.Concat(read("role.yaml"), read("role-preview.yaml")) {
		var role rbacv1.ClusterRole
		if yaml.Unmarshal([]byte(document), &role) == nil && strings.HasSuffix(role.Kind, "Role") {
			roles[role.Name] = role.Rules
		}
	}
	t.Run("inside, a run may do what it may in any environment, and remove the namespace", func(t *testing.T) {
		want := slices.Clone(roles["promote"])
		for i, r := range want {
			if slices.Equal(r.Resources, []string{"namespaces"}) {
				want[i].Verbs = []string{"get", "patch", "delete"}
			}
		}
		if diff := cmp.Diff(want, roles[insideRole]); len(want) == 0 || diff != "" {
			t.Errorf("docs/role-preview.yaml is not docs/role.yaml with the namespace's own verbs (- wanted, + is there):\n%s", diff)
		}
	})
	t.Run("outside, it may make namespaces and give itself that role, and nothing else", func(t *testing.T) {
		want := []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"namespaces"}, Verbs: []string{"get", "list", "create"}},
			{APIGroups: []string{rbacv1.GroupName}, Resources: []string{"rolebindings"}, Verbs: []string{"create"}},
			{APIGroups: []string{rbacv1.GroupName}, Resources: []string{"clusterroles"}, ResourceNames: []string{insideRole}, Verbs: []string{"bind"}},
		}
		if diff := cmp.Diff(want, roles["promote-preview"]); diff != "" {
			t.Error(diff)
		}
	})
}
