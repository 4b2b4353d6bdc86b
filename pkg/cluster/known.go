package cluster

import "k8s.io/apimachinery/pkg/runtime/schema"

// known are kinds that every cluster serves under these names, by the API's own promise that a stable version stays as it is:
// nobody needs to ask for them. Others are asked for.
var known = knownKinds()

func knownKinds() map[schema.GroupVersionKind]resource {
	kinds := map[schema.GroupVersionKind]resource{}
	add := func(gv schema.GroupVersion, kind, name string, namespaced bool) {
		kinds[gv.WithKind(kind)] = resource{gv.WithResource(name), namespaced}
	}
	v1, apps := schema.GroupVersion{Version: "v1"}, schema.GroupVersion{Group: "apps", Version: "v1"}
	add(v1, "Namespace", "namespaces", false)
	add(v1, "ConfigMap", "configmaps", true)
	add(v1, "PersistentVolumeClaim", "persistentvolumeclaims", true)
	add(v1, "Pod", "pods", true)
	add(v1, "Secret", "secrets", true)
	add(v1, "Service", "services", true)
	add(v1, "ServiceAccount", "serviceaccounts", true)
	add(apps, "DaemonSet", "daemonsets", true)
	add(apps, "Deployment", "deployments", true)
	add(apps, "ReplicaSet", "replicasets", true)
	add(apps, "StatefulSet", "statefulsets", true)
	return kinds
}
