package main

import (
	"testing"
	"time"

	"github.com/org/promote/pkg/image"
)

func TestFingerprint(t *testing.T) {
	base := func() (inputs, source) {
		return inputs{
			context: "/runner/a/shop/service", dockerfile: "/runner/a/shop/service/Dockerfile", builder: "auto",
			material: image.FromDockerfile, args: map[string]string{"A": "1"}, secrets: map[string]string{"npm": "value"}, labels: []string{"x=1", "y=2"},
		}, source{tree: "tree", prefix: "service"}
	}
	print := func(change func(in *inputs, src *source)) string {
		in, src := base()
		change(&in, &src)
		return theRecipe(in, src).fingerprint()
	}
	same := print(func(*inputs, *source) {})
	for name, change := range map[string]func(in *inputs, src *source){
		"where the checkout lies": func(in *inputs, _ *source) {
			in.context, in.dockerfile = "/other/shop/service", "/other/shop/service/Dockerfile"
		},
		"which builder is used":       func(in *inputs, _ *source) { in.builder = "buildctl" },
		"the order of labels":         func(in *inputs, _ *source) { in.labels = []string{"y=2", "x=1"} },
		"the value of a build secret": func(in *inputs, _ *source) { in.secrets["npm"] = "another" },
		"where layers are kept":       func(in *inputs, _ *source) { in.cache = "registry.example/shop:cache" },
		"the time of the commit":      func(_ *inputs, src *source) { src.time = time.Unix(1, 0) },
		"the marker":                  func(in *inputs, _ *source) { in.marker = "other" },
	} {
		if print(change) != same {
			t.Errorf("%s changes the fingerprint", name)
		}
	}
	for name, change := range map[string]func(in *inputs, src *source){
		"another tree":       func(_ *inputs, src *source) { src.tree = "other" },
		"another context":    func(_ *inputs, src *source) { src.prefix = "" },
		"another Dockerfile": func(in *inputs, _ *source) { in.dockerfile += ".2" },
		"another argument":   func(in *inputs, _ *source) { in.args["A"] = "2" },
		"another secret":     func(in *inputs, _ *source) { in.secrets["pip"] = "value" },
		"another target":     func(in *inputs, _ *source) { in.target = "app" },
		"another platform":   func(in *inputs, _ *source) { in.platforms = []string{"linux/arm64"} },
		"another material":   func(in *inputs, _ *source) { in.material = image.FromGo },
		"another base":       func(in *inputs, _ *source) { in.base = "registry.example/base:1" },
		"another entrypoint": func(in *inputs, _ *source) { in.entrypoint = []string{"/app"} },
		"another file":       func(in *inputs, _ *source) { in.files = []string{"a:/a"} },
		"another label":      func(in *inputs, _ *source) { in.labels = []string{"x=1"} },
	} {
		if print(change) == same {
			t.Errorf("%s does not change the fingerprint", name)
		}
	}
}
