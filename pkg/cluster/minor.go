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
	data, err := answer(c.raw.Get().AbsPath("version").Do(ctx))
	if err != nil {
		return 0, c.failed("asking for the version of Kubernetes", err)
	}
	var version struct{ Minor string }
	if err := json.Unmarshal(data, &version); err != nil {
		return 0, fmt.Errorf("reading the version of Kubernetes: %w", err)
	}
	minor, err := strconv.Atoi(strings.TrimRight(version.Minor, "+"))
	if err != nil {
		return 0, fmt.Errorf("reading the version of Kubernetes: its minor version is %q", version.Minor)
	}
	return minor, nil
}
