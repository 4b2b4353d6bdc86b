package cluster

import (
	"fmt"
	"net/http"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
)

// Kinds are the built-in kinds that are read and written as Go types, in the words of client-go's own clientset. That one links
// every version of every API group with its apply configurations, a third of the program, to be asked for a dozen kinds.
type Kinds struct {
	clients map[schema.GroupVersion]rest.Interface
	params  runtime.ParameterCodec
}

// newKinds prepares a client for each group, over one connection.
func newKinds(config *rest.Config, over *http.Client) (*Kinds, error) {
	known := runtime.NewScheme()
	metav1.AddToGroupVersion(known, schema.GroupVersion{Version: "v1"})
	k := &Kinds{clients: map[schema.GroupVersion]rest.Interface{}, params: runtime.NewParameterCodec(known)}
	for version, add := range map[schema.GroupVersion]func(*runtime.Scheme) error{
		appsv1.SchemeGroupVersion:           appsv1.AddToScheme,
		authenticationv1.SchemeGroupVersion: authenticationv1.AddToScheme,
		authorizationv1.SchemeGroupVersion:  authorizationv1.AddToScheme,
		autoscalingv2.SchemeGroupVersion:    autoscalingv2.AddToScheme,
		batchv1.SchemeGroupVersion:          batchv1.AddToScheme,
		coordinationv1.SchemeGroupVersion:   coordinationv1.AddToScheme,
		corev1.SchemeGroupVersion:           corev1.AddToScheme,
		discoveryv1.SchemeGroupVersion:      discoveryv1.AddToScheme,
		rbacv1.SchemeGroupVersion:           rbacv1.AddToScheme,
	} {
		if err := add(known); err != nil {
			return nil, fmt.Errorf("naming the kinds of %s: %w", version, err)
		}
		client, err := rest.RESTClientForConfigAndClient(groupConfig(config, version, known), over)
		if err != nil {
			return nil, err
		}
		k.clients[version] = client
	}
	return k, nil
}

// groupConfig is the configuration of one group's client.
func groupConfig(config *rest.Config, version schema.GroupVersion, known *runtime.Scheme) *rest.Config {
	config = rest.CopyConfig(config)
	config.GroupVersion = &version
	config.APIPath = "/apis"
	if version.Group == "" {
		config.APIPath = "/api"
	}
	config.NegotiatedSerializer = serializer.NewCodecFactory(known).WithoutConversion()
	return config
}

// Namespaces are the cluster's.
func (k *Kinds) Namespaces() many[*corev1.Namespace, *corev1.NamespaceList] {
	return manyOf[corev1.Namespace, corev1.NamespaceList](k, corev1.SchemeGroupVersion, "namespaces", "")
}

// Pods are those of a namespace.
func (k *Kinds) Pods(namespace string) many[*corev1.Pod, *corev1.PodList] {
	return manyOf[corev1.Pod, corev1.PodList](k, corev1.SchemeGroupVersion, "pods", namespace)
}

// Services are those of a namespace.
func (k *Kinds) Services(namespace string) many[*corev1.Service, *corev1.ServiceList] {
	return manyOf[corev1.Service, corev1.ServiceList](k, corev1.SchemeGroupVersion, "services", namespace)
}

// ConfigMaps are those of a namespace.
func (k *Kinds) ConfigMaps(namespace string) many[*corev1.ConfigMap, *corev1.ConfigMapList] {
	return manyOf[corev1.ConfigMap, corev1.ConfigMapList](k, corev1.SchemeGroupVersion, "configmaps", namespace)
}

// Secrets are those of a namespace.
func (k *Kinds) Secrets(namespace string) many[*corev1.Secret, *corev1.SecretList] {
	return manyOf[corev1.Secret, corev1.SecretList](k, corev1.SchemeGroupVersion, "secrets", namespace)
}

// Events are those of a namespace.
func (k *Kinds) Events(namespace string) many[*corev1.Event, *corev1.EventList] {
	return manyOf[corev1.Event, corev1.EventList](k, corev1.SchemeGroupVersion, "events", namespace)
}

// ServiceAccounts are those of a namespace.
func (k *Kinds) ServiceAccounts(namespace string) many[*corev1.ServiceAccount, *corev1.ServiceAccountList] {
	return manyOf[corev1.ServiceAccount, corev1.ServiceAccountList](k, corev1.SchemeGroupVersion, "serviceaccounts", namespace)
}

// Deployments are those of a namespace.
func (k *Kinds) Deployments(namespace string) many[*appsv1.Deployment, *appsv1.DeploymentList] {
	return manyOf[appsv1.Deployment, appsv1.DeploymentList](k, appsv1.SchemeGroupVersion, "deployments", namespace)
}

// ReplicaSets are those of a namespace.
func (k *Kinds) ReplicaSets(namespace string) many[*appsv1.ReplicaSet, *appsv1.ReplicaSetList] {
	return manyOf[appsv1.ReplicaSet, appsv1.ReplicaSetList](k, appsv1.SchemeGroupVersion, "replicasets", namespace)
}

// Jobs are those of a namespace.
func (k *Kinds) Jobs(namespace string) many[*batchv1.Job, *batchv1.JobList] {
	return manyOf[batchv1.Job, batchv1.JobList](k, batchv1.SchemeGroupVersion, "jobs", namespace)
}

// HorizontalPodAutoscalers are those of a namespace.
func (k *Kinds) HorizontalPodAutoscalers(namespace string) many[*autoscalingv2.HorizontalPodAutoscaler, *autoscalingv2.HorizontalPodAutoscalerList] {
	return manyOf[autoscalingv2.HorizontalPodAutoscaler, autoscalingv2.HorizontalPodAutoscalerList](k, autoscalingv2.SchemeGroupVersion, "horizontalpodautoscalers", namespace)
}

// EndpointSlices are those of a namespace.
func (k *Kinds) EndpointSlices(namespace string) many[*discoveryv1.EndpointSlice, *discoveryv1.EndpointSliceList] {
	return manyOf[discoveryv1.EndpointSlice, discoveryv1.EndpointSliceList](k, discoveryv1.SchemeGroupVersion, "endpointslices", namespace)
}

// Leases are those of a namespace.
func (k *Kinds) Leases(namespace string) many[*coordinationv1.Lease, *coordinationv1.LeaseList] {
	return manyOf[coordinationv1.Lease, coordinationv1.LeaseList](k, coordinationv1.SchemeGroupVersion, "leases", namespace)
}

// RoleBindings are those of a namespace.
func (k *Kinds) RoleBindings(namespace string) many[*rbacv1.RoleBinding, *rbacv1.RoleBindingList] {
	return manyOf[rbacv1.RoleBinding, rbacv1.RoleBindingList](k, rbacv1.SchemeGroupVersion, "rolebindings", namespace)
}

// SelfSubjectReviews tell who asks.
func (k *Kinds) SelfSubjectReviews() one[*authenticationv1.SelfSubjectReview] {
	return oneOf[authenticationv1.SelfSubjectReview](k, authenticationv1.SchemeGroupVersion, "selfsubjectreviews", "")
}

// SelfSubjectAccessReviews tell whether who asks may do one thing.
func (k *Kinds) SelfSubjectAccessReviews() one[*authorizationv1.SelfSubjectAccessReview] {
	return oneOf[authorizationv1.SelfSubjectAccessReview](k, authorizationv1.SchemeGroupVersion, "selfsubjectaccessreviews", "")
}

// SelfSubjectRulesReviews tell all that who asks may do.
func (k *Kinds) SelfSubjectRulesReviews() one[*authorizationv1.SelfSubjectRulesReview] {
	return oneOf[authorizationv1.SelfSubjectRulesReview](k, authorizationv1.SchemeGroupVersion, "selfsubjectrulesreviews", "")
}
