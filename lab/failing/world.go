package failing

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/org/promote/lab/testimage"
	"github.com/org/promote/lab/world"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
)

// slowness is how long the slow registry holds back each blob. A node asks for the configuration and then for the layers, so a
// pull takes twice as long: longer than any failure may take to be named.
const slowness = 9 * time.Second

// World is the running lab and what cases need beside it: an image, a registry that wants a login, a slow one.
type World struct {
	config  *rest.Config
	client  kubernetes.Interface
	dynamic dynamic.Interface
	mapper  meta.RESTMapper
	// Image is the misbehaving server, in the lab's registry.
	Image    string
	registry string
	locked   *httptest.Server
	slow     *httptest.Server
	// slowImage is in the slow registry; no node has any layer of it.
	slowImage string
}

// Start pushes the images. The current folder must be in the lab's module. End with Close.
func Start(ctx context.Context, lab world.World) (*World, error) {
	config, err := clientcmd.BuildConfigFromFlags("", lab.AdminKubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	w := &World{config: config, registry: lab.Registry}
	if w.client, err = kubernetes.NewForConfig(config); err != nil {
		return nil, err
	}
	if w.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, err
	}
	w.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(w.client.Discovery()))
	if w.Image, err = testimage.Push(ctx, lab.Registry); err != nil {
		return nil, err
	}
	w.locked = httptest.NewServer(asking(registry.New(registry.Logger(log.New(io.Discard, "", 0)))))
	w.slow = httptest.NewServer(holdingBack(registry.New(registry.Logger(log.New(io.Discard, "", 0)))))
	if err := w.pushSlow(ctx); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// Close ends the registries.
func (w *World) Close() {
	// A node may still be pulling; it must not be waited for.
	w.slow.CloseClientConnections()
	w.slow.Close()
	w.locked.Close()
}

func (w *World) values(namespace string) values {
	return values{Image: w.Image, Registry: w.registry, Locked: host(w.locked), Slow: w.slowImage, Namespace: namespace}
}

func host(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }

// asking lets nobody in who does not log in, in the words of the distribution specification.
func asking(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if _, _, known := r.BasicAuth(); known {
			next.ServeHTTP(out, r)
			return
		}
		out.Header().Set("WWW-Authenticate", `Basic realm="lab"`)
		out.Header().Set("Content-Type", "application/json")
		out.WriteHeader(http.StatusUnauthorized)
		_, _ = out.Write([]byte(`{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`))
	})
}

// holdingBack answers a request for a blob late; whoever pushes asks with HEAD and is not held.
func holdingBack(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			select {
			case <-time.After(slowness):
			case <-r.Context().Done():
				return
			}
		}
		next.ServeHTTP(out, r)
	})
}

// pushSlow puts the image with one layer of noise into the slow registry: a layer that the node has is not pulled.
func (w *World) pushSlow(ctx context.Context) error {
	from, err := name.ParseReference(w.Image, name.Insecure)
	if err != nil {
		return err
	}
	image, err := remote.Image(from, remote.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("reading %q: %w", from, err)
	}
	image, err = mutate.Append(image, mutate.Addendum{Layer: noise()})
	if err != nil {
		return err
	}
	to, err := name.NewTag(host(w.slow)+"/lab/slow:latest", name.Insecure)
	if err != nil {
		return err
	}
	if err := remote.Write(to, image, remote.WithContext(ctx)); err != nil {
		return fmt.Errorf("pushing %q: %w", to, err)
	}
	digest, err := image.Digest()
	w.slowImage = to.Repository.Digest(digest.String()).String()
	return err
}

// noise is an empty archive that no other layer equals: two blocks of zeros and what comes after the end.
func noise() v1.Layer {
	return static.NewLayer(append(make([]byte, 1024), rand.Text()...), types.OCIUncompressedLayer)
}

// machine is what must not stand in a recording: this machine's name. Its addresses are found by their form.
func machine() (string, error) {
	name, err := os.Hostname()
	if err != nil || net.ParseIP(name) != nil {
		return "", errors.Join(errors.New("finding the machine's name"), err)
	}
	return name, nil
}
