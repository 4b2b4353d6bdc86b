package release

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/cluster"
	"github.com/org/promote/pkg/manifest"
)

// origin is what a release was rendered from. It holds no secret value: templates name secrets, and the release's record has the
// versions that they were read at.
type origin struct {
	Files []manifest.File `json:"files"`
	// Values are in the form of JSON, which is read back as the YAML that it is: whole numbers stay whole.
	Values      json.RawMessage `json:"values,omitempty"`
	PullRequest int             `json:"pullRequest,omitempty"`
}

// maxOrigin bounds an origin in bytes. It is kept in the cluster, where a thousandth of that could be a bomb.
const maxOrigin = 64 << 20

// pack is the origin of a request's release, compressed.
func pack(r Request) ([]byte, error) {
	values, err := json.Marshal(r.Values)
	if err != nil {
		return nil, fmt.Errorf("packing the values: %w", err)
	}
	text, err := json.Marshal(origin{Files: r.Files, Values: values, PullRequest: r.Change.PullRequest})
	if err != nil {
		return nil, fmt.Errorf("packing the manifests: %w", err)
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

func unpack(data []byte) (files []manifest.File, values map[string]any, pull int, err error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, nil, 0, fmt.Errorf("unpacking: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(r, maxOrigin+1))
	if err == nil && len(text) > maxOrigin {
		err = fmt.Errorf("it has more than %d MiB", maxOrigin>>20)
	}
	if err != nil {
		return nil, nil, 0, fmt.Errorf("unpacking: %w", err)
	}
	var o origin
	if err := json.Unmarshal(text, &o); err != nil {
		return nil, nil, 0, fmt.Errorf("unpacking: %w", err)
	}
	values, err = manifest.ParseValues(string(o.Values), "")
	return o.Files, values, o.PullRequest, err
}

// Earlier is a release that served before and can be brought back as it was, with the configuration and the secret versions that
// it had.
type Earlier struct {
	Record cluster.Release
	Change change.Change
	files  []manifest.File
	values map[string]any
}

// FindEarlier finds the newest release that ran a digest in a service's history. It gives nil when there is none.
func FindEarlier(ctx context.Context, c *cluster.Cluster, service, digest string) (*Earlier, error) {
	state, err := c.LoadState(ctx, service)
	if err != nil {
		return nil, err
	}
	for _, r := range state.History {
		if r.Digest != digest || r.Adopted {
			continue
		}
		e := &Earlier{Record: r, Change: change.Change{Head: r.Commit, Tree: r.Tree, Merge: r.Merge}}
		return e, e.load(ctx, c, service)
	}
	return nil, nil
}

// read reads what the release was rendered from.
func (e *Earlier) read(ctx context.Context, c *cluster.Cluster, service string) error {
	data, err := c.LoadOrigin(ctx, service, e.Record.ID)
	if err == nil {
		e.files, e.values, e.Change.PullRequest, err = unpack(data)
	}
	return err
}

func (e *Earlier) load(ctx context.Context, c *cluster.Cluster, service string) error {
	if err := e.read(ctx, c, service); err != nil {
		return fmt.Errorf("going back to release %s: %w; deploy its commit %s instead", e.Record.ID, err, change.Short(e.Record.Commit))
	}
	return nil
}

// Restore makes a request that brings the earlier release back. Its tests are not repeated: it passed them when it came to serve,
// and those of the checkout are another commit's.
func (e *Earlier) Restore(r Request) Request {
	r.Change, r.Files, r.Values, r.Versions, r.Test = e.Change, e.files, e.values, e.Record.Secrets, nil
	r.Restores = e.Record.ID
	return r
}

// keepOrigin keeps what the candidate was rendered from. One that is too large to keep is deployed all the same; there is no way
// back to it but its commit.
func (c *Candidate) keepOrigin(ctx context.Context) error {
	data, err := pack(c.req)
	if err != nil {
		return err
	}
	err = c.deps.Cluster.SaveOrigin(ctx, c.req.Service, c.Release.ID, data)
	var large *cluster.TooLargeError
	if errors.As(err, &large) {
		c.deps.Log.Warningf("%v; the way back to this release is to deploy its commit again", err)
		return nil
	}
	return err
}

// forget deletes the origins of releases that can't be gone back to any more.
func (c *Candidate) forget(ctx context.Context, releases ...string) error {
	var errs []error
	for _, id := range releases {
		errs = append(errs, c.deps.Cluster.DeleteOrigin(ctx, c.req.Service, id))
	}
	return errors.Join(errs...)
}

// remembered says that a release serves, or that the history has it.
func (c *Candidate) remembered(id string) bool {
	if s := c.State.Serving; s != nil && s.ID == id {
		return true
	}
	return slices.ContainsFunc(c.State.History, func(r cluster.Release) bool { return r.ID == id })
}
