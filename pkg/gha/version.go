package gha

import "runtime/debug"

// Version names the version of promote that runs, for instance v1.4.0; "devel" for one that was built from a working tree.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}
