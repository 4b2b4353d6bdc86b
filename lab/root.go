package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// kept are the variables that a lab run through sudo must still see. HOME is not among them: what root builds belongs into
// root's caches, not into the user's.
var kept = []string{"PATH", "PROMOTE_LAB_DIR", "GOPROXY", "GOFLAGS", "GOTOOLCHAIN", "GONOSUMDB", "GOSUMDB", "SSL_CERT_FILE", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"}

// asRoot does something that needs root, if need be by running this same command through sudo.
func asRoot(do func() error) error {
	if os.Geteuid() == 0 {
		return do()
	}
	sudo, err := exec.LookPath("sudo")
	if err != nil {
		return errors.New("this needs root, and there is no sudo: run it as root")
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	args := []string{"sudo", "env"}
	for _, name := range kept {
		if value, ok := os.LookupEnv(name); ok {
			args = append(args, name+"="+value)
		}
	}
	args = append(append(args, program), os.Args[1:]...)
	if err := syscall.Exec(sudo, args, os.Environ()); err != nil {
		return fmt.Errorf("running %q: %w", strings.Join(args, " "), err)
	}
	return nil
}
