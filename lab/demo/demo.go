// Package demo plays the whole promotion of the example service on real parts and tells it as a story: a pull request from
// its first push to production, one whose bug shows only under live traffic, one that fails its integration tests, and what else
// there is on the way: a service that was there by hand, evidence that is deleted, a rollback, a preview. The
// workflows are the ones users copy, the clusters, images, requests and git history are real, and what the closing table
// says was read back from them, not from what the actions printed.
//
// It refuses to call anything a success that did not happen: [Main] returns an error when one expectation is not met.
package demo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/org/promote/lab/world"
)

// Main is the verb `lab demo`; it ends when the context does. act is the workflow runner for a cluster of the user's own; the lab
// has one.
func Main(ctx context.Context, args []string, act string) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	suite := flags.String("suite", "", "folder of this repository; default: the one the command runs in")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *suite == "" {
		dir, err := findSuite()
		if err != nil {
			return err
		}
		*suite = dir
	}
	w, err := find(os.Getenv, act)
	if err != nil {
		return err
	}
	return Play(ctx, w, *suite, os.Stdout)
}

// Play plays the story in the world and returns every expectation that was not met.
func Play(ctx context.Context, w world.World, suite string, out io.Writer) error {
	// The runners work in folders of their own.
	suite, err := filepath.Abs(suite)
	if err != nil {
		return err
	}
	s, err := setTheScene(ctx, w, checkout(suite), suite, filepath.Join(w.StateDir, "demo"), out)
	if err != nil {
		return fmt.Errorf("setting the scene: %w", err)
	}
	defer s.close(ctx)
	story := s.story()
	err = s.perform(ctx, story)
	if err == nil {
		err = s.closing(ctx, story)
	}
	return errors.Join(err, s.present(story, err))
}

// perform plays all parts until one ends otherwise than it must.
func (s *scene) perform(ctx context.Context, story []part) error {
	for i := range story {
		p := &story[i]
		s.timeline.act(p.title)
		err := p.play(ctx, s, p)
		// What follows stands on this; going on would only bury the cause.
		if e := s.workflowsEnded(p); err == nil && !e.ok {
			err = fmt.Errorf("%s, but %s; the logs are in %s", e.what, e.seen, s.dir)
		}
		if err != nil {
			p.ended, p.broken = time.Now(), true
			return fmt.Errorf("playing %q: %w", p.title, err)
		}
	}
	return s.stopLoad()
}

// find gives the lab's world, or that of a cluster which the user named by KUBECONFIG.
func find(getenv func(string) string, act string) (world.World, error) {
	kubeconfig := getenv("KUBECONFIG")
	if kubeconfig == "" {
		return world.Load(world.DefaultDir())
	}
	w := world.World{
		StateDir: filepath.Join(os.TempDir(), "promote-demo"), Registry: getenv("REGISTRY"), PrometheusURL: getenv("PROMETHEUS_URL"),
		BuildkitHost: getenv("BUILDKIT_HOST"), DockerConfig: getenv("DOCKER_CONFIG"), ActPath: act,
		AdminKubeconfig: kubeconfig, Kubeconfig: map[string]string{},
	}
	for _, env := range world.Environments {
		w.Kubeconfig[env] = kubeconfig
	}
	var missing []string
	for name, value := range map[string]string{"REGISTRY": w.Registry, "PROMETHEUS_URL": w.PrometheusURL} {
		if value == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return w, fmt.Errorf("KUBECONFIG is set, so the demo uses that cluster; it also needs %s, a registry that the cluster pulls from and a Prometheus that scrapes its pods; "+
			"or unset KUBECONFIG to use the lab", strings.Join(missing, " and "))
	}
	return w, nil
}

// findSuite walks up to the folder whose go.mod is this repository's.
func findSuite() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(data), "module github.com/org/promote\n") {
			return dir, nil
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		return "", errors.New("this folder is not within the promote repository: run `make demo` there, or pass --suite")
	}
}
