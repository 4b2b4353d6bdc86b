package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Minor is the minor version of the cluster's Kubernetes: 34 for 1.34, which some providers write "34+".
func (c *Cluster) Minor(ctx context.Context) (int, error) {
	version, err := c.version(ctx)
	if err != nil {
		return 0, err
	}
	minor, err := strconv.Atoi(strings.TrimRight(version.Minor, "+"))
	if err != nil {
		return 0, fmt.Errorf("reading the version of Kubernetes: its minor version is %q", version.Minor)
	}
	return minor, nil
}

// Version is what the API server calls its version, as v1.34.4. Every account may ask for it, so it also says that the server is there
// and takes the credentials.
func (c *Cluster) Version(ctx context.Context) (string, error) {
	version, err := c.version(ctx)
	return version.GitVersion, err
}

type serverVersion struct{ Minor, GitVersion string }

func (c *Cluster) version(ctx context.Context) (serverVersion, error) {
	data, err := answer(c.raw.Get().AbsPath("version").Do(ctx))
	if err != nil {
		return serverVersion{}, c.failed("asking for the version of Kubernetes", err)
	}
	var version serverVersion
	if err := json.Unmarshal(data, &version); err != nil {
		return serverVersion{}, fmt.Errorf("reading the version of Kubernetes: %w", err)
	}
	return version, nil
}
