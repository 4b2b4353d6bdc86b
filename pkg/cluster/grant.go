package cluster

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// insideRole is the ClusterRole whose rights a run gets in a preview's namespace; docs/role-preview.yaml has it.
	insideRole = "promote-preview-inside"
	// previewRole is the advice when a right is missing.
	previewRole = "previews need the ClusterRoles in docs/role-preview.yaml, bound to it"
	// grantTime bounds the wait until the API server's authorizer has seen a new RoleBinding; that takes milliseconds.
	grantTime = 20 * time.Second
)

// right is one verb on one resource, on one name or all.
type right struct{ verb, group, resource, name string }

func (r right) String() string {
	text := r.verb + " " + need{group: r.group, resource: r.resource}.String()
	if r.name != "" {
		text += "/" + r.name
	}
	return text
}

// insideRights stand for what a run needs in a preview's namespace; Preflight asks for the rest, right by right.
var insideRights = []right{
	{verb: "patch", resource: "namespaces"},
	{verb: "delete", resource: "namespaces"},
	{verb: "create", group: "coordination.k8s.io", resource: "leases"},
	{verb: "create", group: "apps", resource: "deployments"},
}

// preflightPreview names every right that is missing to make a preview, before anything is made.
func (c *Cluster) preflightPreview(ctx context.Context, namespace string) error {
	outside := []right{{verb: "get", resource: "namespaces"}, {verb: "create", resource: "namespaces"}}
	lacking, err := c.lacking(ctx, namespace, slices.Concat(outside, insideRights)...)
	if err != nil || len(lacking) == 0 {
		return err
	}
	missing := slices.DeleteFunc(slices.Clone(lacking), func(r right) bool { return slices.Contains(insideRights, r) })
	if len(missing) < len(lacking) { // what is lacking inside comes with a RoleBinding, if the account may make that
		more, err := c.lacking(ctx, namespace,
			right{verb: "create", group: rbacv1.GroupName, resource: "rolebindings"},
			right{verb: "bind", group: rbacv1.GroupName, resource: "clusterroles", name: insideRole})
		if err != nil {
			return err
		}
		missing = append(missing, more...)
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("Namespace/%s: the account of this kubeconfig may not %s: %s", namespace, listed(missing), previewRole)
}

// grant makes sure that this account has the rights in a preview's namespace: when it lacks one, it binds itself to the ClusterRole
// that an administrator made for that, which is all that it may bind.
func (c *Cluster) grant(ctx context.Context, namespace string, rights ...right) error {
	lacking, err := c.lacking(ctx, namespace, rights...)
	if err != nil || len(lacking) == 0 {
		return err
	}
	if err := c.bind(ctx, namespace); err != nil {
		return err
	}
	return c.poll(ctx, grantTime, func(ctx context.Context) (string, error) {
		lacking, err := c.lacking(ctx, namespace, rights...)
		if err != nil || len(lacking) == 0 {
			return "", err
		}
		return fmt.Sprintf("binding this account in Namespace/%s to ClusterRole/%s does not let it %s: apply docs/role-preview.yaml", namespace, insideRole, listed(lacking)), nil
	})
}

// bind makes the RoleBinding. Its name tells accounts apart: on EKS a role has another name in each session.
func (c *Cluster) bind(ctx context.Context, namespace string) error {
	me, err := c.Client.SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return c.failed("asking who this kubeconfig's account is", err)
	}
	user := me.Status.UserInfo.Username
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("promote-%x", sha256.Sum256([]byte(user)))[:len("promote-")+sumLength]},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: insideRole},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}
	_, err = c.Client.RoleBindings(namespace).Create(ctx, binding, metav1.CreateOptions{FieldManager: FieldManager})
	switch {
	case err == nil, apierrors.IsAlreadyExists(err), unanswered(ctx, err):
		return nil
	case apierrors.IsForbidden(err) && !terminating(err):
		return fmt.Errorf("binding this account in Namespace/%s: it may not: %s: %w", namespace, previewRole, err)
	}
	return c.failed("binding this account in Namespace/"+namespace, err)
}

// lacking asks which of the rights the account does not have in a namespace, which need not exist.
func (c *Cluster) lacking(ctx context.Context, namespace string, rights ...right) ([]right, error) {
	denied := make([]bool, len(rights))
	indices := make([]int, len(rights))
	for i := range indices {
		indices[i] = i
	}
	err := each(ctx, indices, func(ctx context.Context, i int) error {
		r := rights[i]
		in, name := namespace, r.name
		switch {
		case r.resource == "clusterroles" || r.resource == "namespaces" && r.verb == "create":
			in = ""
		case r.resource == "namespaces":
			name = namespace // as the API server asks itself when one is read, written or deleted
		}
		answer, err := c.Client.SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
			Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: in, Verb: r.verb, Group: r.group, Resource: r.resource, Name: name,
			}},
		}, metav1.CreateOptions{})
		if err != nil {
			return c.failed("asking whether the account may "+r.String(), err)
		}
		denied[i] = !answer.Status.Allowed
		return nil
	})
	var found []right
	for i, r := range rights {
		if denied[i] {
			found = append(found, r)
		}
	}
	return found, err
}

// listed is rights in words, sorted.
func listed(rights []right) string {
	var words []string
	for _, r := range slices.SortedFunc(slices.Values(rights), func(a, b right) int { return cmp.Compare(a.String(), b.String()) }) {
		words = append(words, r.String())
	}
	return strings.Join(words, "; ")
}
