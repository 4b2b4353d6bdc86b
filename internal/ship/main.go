// Command ship makes the files of a release: the four programs for each platform, packed; release.json, which names their
// hashes and is committed before the tag is set, so that the tag holds them; a tar file for networks without a way out; a bill of
// materials; what has changed since the version before; and the checksums of all of these.
//
// The same commit gives the same bytes, in whatever folder and on whatever machine with the same Go. It refuses a version that is
// none, and a folder that is not empty.
//
//	go run ./internal/ship -version v1.2.3 -url https://github.com/org/promote/releases/download/v1.2.3 -to dist
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/mod/semver"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "ship: %v\n", err)
		os.Exit(1)
	}
}

// release is what is made.
type release struct {
	version, url, to string
	// created is the time of the commit.
	created time.Time
}

// actions and platforms are what there is a program for.
var (
	actions   = []string{"build", "canary", "deploy", "unit-test"}
	platforms = []string{"darwin_amd64", "darwin_arm64", "linux_amd64", "linux_arm64", "windows_amd64", "windows_arm64"}
)

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("ship", flag.ContinueOnError)
	var r release
	flags.StringVar(&r.version, "version", "", "version to release, such as v1.2.3")
	flags.StringVar(&r.url, "url", "", "address that the files of the release are below")
	flags.StringVar(&r.to, "to", "dist", "folder to make; it must not hold anything yet")
	only := flags.String("platforms", strings.Join(platforms, ","), "platforms to build for; a release has all")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen := strings.Split(*only, ",")
	if err := errors.Join(checkVersion(r.version), checkURL(r.url), checkPlatforms(chosen), checkEmpty(r.to)); err != nil {
		return err
	}
	var err error
	if r.created, err = commitTime(ctx); err != nil {
		return err
	}
	if err := os.MkdirAll(r.to, 0o755); err != nil {
		return err
	}
	programs, err := r.pack(ctx, chosen, out)
	if err != nil {
		return err
	}
	return errors.Join(r.name(programs), r.bundle(programs), r.bill(programs), r.changes(ctx), r.sum())
}

func checkVersion(version string) error {
	if !semver.IsValid(version) || semver.Canonical(version) != version {
		return fmt.Errorf("reading -version %q: it is not like v1.2.3 or v1.2.3-rc.1", version)
	}
	return nil
}

func checkURL(url string) error {
	if !strings.HasPrefix(url, "https://") || strings.ContainsAny(url, "\" \\") || strings.HasSuffix(url, "/") {
		return fmt.Errorf("reading -url %q: it is not like https://github.com/org/promote/releases/download/v1.2.3", url)
	}
	return nil
}

func checkEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		return fmt.Errorf("looking into -to %q: it holds %s; remove it first (make clean), or a file of another version would get into the checksums", dir, filepath.Join(dir, entries[0].Name()))
	}
	return nil
}
