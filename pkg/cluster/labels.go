package cluster

// FieldManager begins the names under which promote owns fields: each service has one of its own (see managerOf). Writes
// that belong to no service have it alone, as had all writes of versions before 1.
const FieldManager = "promote"

// Labels that promote writes.
const (
	// LabelService names the service an object belongs to.
	LabelService = "promote.dev/service"
	// LabelRelease names the release an object or a pod belongs to.
	LabelRelease = "promote.dev/release"
	// LabelEnvironment names the environment; on a namespace it says which environment the namespace is.
	LabelEnvironment = "promote.dev/environment"
	// LabelServe is "true" on pods that may serve. A live pod that is to leave the endpoint list gets "false"; no
	// Deployment selects by it, so the pod keeps its owner.
	LabelServe = "promote.dev/serve"
	// LabelPreview stands on a namespace that belongs to one pull request alone, and holds its number. What carries it may be
	// removed with all that is in it.
	LabelPreview = "promote.dev/preview"
	// LabelRepository names the repository of a preview as far as a label can; the annotation of the same name is exact.
	LabelRepository = "promote.dev/repository"
)

// Annotations that promote writes.
const (
	AnnotationCommit = "promote.dev/commit"
	AnnotationDigest = "promote.dev/digest"
	AnnotationRun    = "promote.dev/run"
	// AnnotationToken holds the lock's token of the run that took over, a decimal number. A run with a smaller token has
	// lost the lock and must not write the object.
	AnnotationToken = "promote.dev/token"
	// AnnotationRepository is the repository of a preview, owner/name.
	AnnotationRepository = "promote.dev/repository"
	// AnnotationExpires is when a preview's time is up, in RFC 3339. People may move it.
	AnnotationExpires = "promote.dev/expires"
	// On a lock's lease: the run's page, what it is doing, its place in the order of runs, and who waits.
	annotationURL   = "promote.dev/run-url"
	annotationPhase = "promote.dev/phase"
	annotationOrder = "promote.dev/order"
	annotationLine  = "promote.dev/line"
	annotationQueue = "promote.dev/queue"
)

// annotationDeletionCost tells the ReplicaSet controller which pods a scale-down takes first.
const annotationDeletionCost = "controller.kubernetes.io/pod-deletion-cost"
