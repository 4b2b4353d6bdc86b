package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// debianPackage is a package the lab needs, known by a file that it brings: a program from elsewhere does as well.
type debianPackage struct {
	name string
	file string
	// unit is the service it would start by itself; the lab runs its own instances.
	unit string
}

var debianPackages = []debianPackage{
	{name: "containerd", file: "/usr/bin/containerd", unit: "containerd.service"},
	{name: "runc", file: "/usr/sbin/runc"},
	{name: "containernetworking-plugins", file: cniPlugins + "/bridge"},
	{name: "nftables", file: "/usr/sbin/nft", unit: "nftables.service"},
	{name: "conntrack", file: "/usr/sbin/conntrack"},
	{name: "iproute2", file: "/usr/sbin/ip"},
	{name: "mount", file: "/usr/bin/mount"},
	{name: "util-linux", file: "/usr/bin/nsenter"},
	{name: "etcd-server", file: "/usr/bin/etcd", unit: "etcd.service"},
	{name: "prometheus", file: "/usr/bin/prometheus", unit: "prometheus.service"},
	{name: "buildah", file: "/usr/bin/buildah"},
	{name: "git", file: "/usr/bin/git"},
	{name: "ca-certificates", file: "/etc/ssl/certs/ca-certificates.crt"},
}

const (
	cniPlugins = "/usr/lib/cni"
	policyFile = "/usr/sbin/policy-rc.d"
)

// installPackages installs the Debian packages that are missing, and keeps their services from starting.
func (l *Lab) installPackages(ctx context.Context) (err error) {
	missing := missingPackages(debianPackages, exists)
	if len(missing) == 0 {
		return nil
	}
	names := make([]string, len(missing))
	for i, p := range missing {
		names[i] = p.name
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("installing packages: this machine has no apt-get; install what brings %s, then run `make lab-up` again", files(missing))
	}
	undo, err := forbidServices()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, undo()) }()
	done := l.begin("packages", strings.Join(names, " "))
	if err := l.apt(ctx, "update", "-qq"); err != nil {
		return err
	}
	if err := l.apt(ctx, append([]string{"install", "-y", "-qq", "--no-install-recommends"}, names...)...); err != nil {
		return err
	}
	if still := missingPackages(missing, exists); len(still) > 0 {
		return fmt.Errorf("installing packages: they are installed, but %s did not appear", files(still))
	}
	disableUnits(ctx, missing)
	done()
	return nil
}

// missingPackages are those whose file is not there.
func missingPackages(all []debianPackage, exists func(string) bool) []debianPackage {
	var missing []debianPackage
	for _, p := range all {
		if !exists(p.file) {
			missing = append(missing, p)
		}
	}
	return missing
}

func files(packages []debianPackage) string {
	names := make([]string, len(packages))
	for i, p := range packages {
		names[i] = p.file
	}
	return strings.Join(names, ", ")
}

func (l *Lab) apt(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	return l.run("apt", cmd)
}

// forbidServices makes package scripts start no service, by Debian's own means, and returns what undoes that. A policy that
// the machine has already is left as it is.
func forbidServices() (undo func() error, err error) {
	file, err := os.OpenFile(policyFile, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return func() error { return nil }, nil
	}
	if err != nil {
		return nil, fmt.Errorf("keeping services from starting: %w", err)
	}
	undo = func() error {
		if err := os.Remove(policyFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("letting services start again: remove the file by hand: %w", err)
		}
		return nil
	}
	_, err = file.WriteString("#!/bin/sh\nexit 101\n")
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("keeping services from starting: %w", errors.Join(err, undo()))
	}
	return undo, nil
}

// disableUnits keeps the services of packages that were just installed from starting at the next boot. Where no systemd runs
// there is nothing to disable, so its answer does not matter.
func disableUnits(ctx context.Context, installed []debianPackage) {
	if !exists("/run/systemd/system") {
		return
	}
	for _, p := range installed {
		if p.unit != "" {
			_ = exec.CommandContext(ctx, "systemctl", "disable", "--quiet", p.unit).Run()
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// run runs a command with its output in a log, whose end is part of the error.
func (l *Lab) run(log string, cmd *exec.Cmd) error {
	file, err := os.OpenFile(l.logFile(log), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	cmd.Stdout, cmd.Stderr = file, file
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("running %s: %w\n%s", filepath.Base(cmd.Path)+" "+strings.Join(cmd.Args[1:], " "), err, l.logTail(log, 20))
	}
	return nil
}
