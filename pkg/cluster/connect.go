package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// defaultOutage covers a control plane's restart or fail-over; managed ones announce up to a minute.
const defaultOutage = 60 * time.Second

// parallel bounds requests in flight. The API server queues fairly by itself, so client-go's own rate limit (5 a second,
// minutes for 500 objects) is switched off.
const parallel = 16

// Config says which namespace of which cluster, and how patiently.
type Config struct {
	// Endpoint is a cluster that needs no kubeconfig. Nil means the next one.
	Endpoint *Endpoint
	// Kubeconfig is a path, or several in the form of the variable KUBECONFIG. Empty means the pod's own service account.
	Kubeconfig string
	// Context is a context of the kubeconfig; empty is its current one.
	Context string
	// Namespace is where everything happens; empty is the context's, then "default".
	Namespace string
	// Outage is how long an API server that cannot be reached is ridden out; 0 is 60 s, less than 0 is not at all.
	Outage time.Duration
	// Redact replaces secret values in every text that comes from the cluster (API errors, diffs, logs, events) before it
	// gets into an error, a diff or a diagnosis, and in the reasons that go into the state. Nil leaves text as it is; Secret
	// objects are always masked.
	Redact func(string) string
	// Force takes fields that other managers own when an object is applied; without it that is a [ConflictError].
	Force bool
	// Warn takes the API server's warnings (deprecated versions and the like), each once, and client-go's own; nil drops them.
	Warn func(string)
}

// Cluster is one namespace of one cluster.
type Cluster struct {
	Namespace string
	Client    *Kinds
	Dynamic   dynamic.Interface

	raw    rest.Interface
	config *rest.Config
	mapper *mapper
	redact func(string) string
	force  bool
	// account is who the requests come from, in words; advise adds what gives it rights, and may be nil.
	account string
	advise  func(ctx context.Context, status int) string

	// lock is the lock that guards writes, when this run holds one.
	lock atomic.Pointer[Lock]
	// seen holds the versions that a dry run read, so that Apply need not read them again.
	seen sync.Map // ObjectRef without UID -> version
	// targets are the workloads that a dry run found autoscaled, for the Apply after it.
	targets atomic.Pointer[[]string]
}

// Connect prepares the clients. It sends nothing; Preflight does.
func Connect(cfg Config) (*Cluster, error) {
	config, namespace, err := load(cfg)
	if err != nil {
		return nil, err
	}
	return connect(config, namespace, cfg)
}

func connect(config *rest.Config, namespace string, cfg Config) (*Cluster, error) {
	config.QPS = -1
	config.UserAgent = FieldManager
	config.WarningHandler = &warnings{warn: cfg.Warn}
	chatter(cfg.Warn)
	outage := cfg.Outage
	if outage == 0 {
		outage = defaultOutage
	}
	// Streams are dialled without the patience of the other requests: they cannot be replayed, their callers dial again.
	streams := rest.CopyConfig(config)
	if cfg.Endpoint != nil {
		cfg.Endpoint.identify(config, false)
		cfg.Endpoint.identify(streams, true)
	}
	if outage > 0 {
		config.Wrap(func(next http.RoundTripper) http.RoundTripper { return newPatience(next, outage) })
	}
	if cfg.Endpoint != nil {
		cfg.Endpoint.advised(config, streams)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("preparing the connection to %q: %w", config.Host, err)
	}
	c := &Cluster{Namespace: namespace, config: streams, redact: cfg.Redact, force: cfg.Force}
	if c.redact == nil {
		c.redact = func(s string) string { return s }
	}
	// Known kinds are answered in half the bytes, and a fraction of the API server's work, as protobuf; what is sent stays JSON.
	typed := rest.CopyConfig(config)
	typed.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	typed.ContentType = "application/json"
	if c.Client, err = newKinds(typed, client); err != nil {
		return nil, fmt.Errorf("preparing the client for %q: %w", config.Host, err)
	}
	if c.Dynamic, err = dynamic.NewForConfigAndClient(config, client); err != nil {
		return nil, fmt.Errorf("preparing the client for %q: %w", config.Host, err)
	}
	if c.raw, err = rest.UnversionedRESTClientForConfigAndClient(dynamic.ConfigFor(config), client); err != nil {
		return nil, fmt.Errorf("preparing the client for %q: %w", config.Host, err)
	}
	c.mapper = newMapper(c.raw)
	c.account = account(cfg)
	if cfg.Endpoint != nil {
		c.advise = cfg.Endpoint.Identity.Advise
	}
	return c, nil
}

// account says who the requests come from.
func account(cfg Config) string {
	switch {
	case cfg.Endpoint != nil:
		return "this job's identity"
	case cfg.Kubeconfig != "":
		return "the account of this kubeconfig"
	}
	return "the service account of this pod"
}

// load finds the cluster and settles the namespace.
func load(cfg Config) (*rest.Config, string, error) {
	if cfg.Endpoint != nil {
		config, err := cfg.Endpoint.config()
		return config, orDefault(cfg.Namespace), err
	}
	if cfg.Kubeconfig == "" {
		config, err := rest.InClusterConfig()
		if errors.Is(err, rest.ErrNotInCluster) {
			return nil, "", errors.New("no kubeconfig is named and this is not a pod with a service account: name a kubeconfig, or set KUBECONFIG on the runner")
		}
		if err != nil {
			return nil, "", fmt.Errorf("reading the pod's service account: %w", err)
		}
		return config, orDefault(cfg.Namespace), nil
	}
	rules := &clientcmd.ClientConfigLoadingRules{Precedence: splitPaths(cfg.Kubeconfig)}
	if len(rules.Precedence) == 1 {
		rules = &clientcmd.ClientConfigLoadingRules{ExplicitPath: rules.Precedence[0]}
	}
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: cfg.Context})
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, "", fmt.Errorf("reading kubeconfig %q: %w", cfg.Kubeconfig, err)
	}
	namespace := cfg.Namespace
	if namespace == "" {
		if namespace, _, err = loader.Namespace(); err != nil {
			return nil, "", fmt.Errorf("reading kubeconfig %q: %w", cfg.Kubeconfig, err)
		}
	}
	return config, orDefault(namespace), nil
}

func orDefault(namespace string) string {
	if namespace == "" {
		return "default"
	}
	return namespace
}

// cutWarning is from where on, in bytes, the API server may have cut a warning, to 256 characters.
const cutWarning = 256

// warnings hands the API server's warning headers on, each once: a dry run and an apply of one object bring the same.
// client-go would print them.
type warnings struct {
	warn func(string)
	told sync.Map
}

func (w *warnings) HandleWarningHeader(code int, _ string, text string) {
	if w.warn == nil || code != 299 || text == "" {
		return
	}
	if len(text) >= cutWarning {
		text += "…" // perhaps in the middle of a secret
	}
	if _, told := w.told.LoadOrStore(text, true); !told {
		w.warn(text)
	}
}
