package job

import "strings"

// Stand-ins for what only a build and a commit give; zeros, so that nobody takes them for real ones.
var (
	NoDigest = "sha256:" + strings.Repeat("0", 64)
	NoCommit = strings.Repeat("0", 40)
)
