package agnostic

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/org/promote/pkg/contents"
)

// BenchmarkCheck tells how many bytes of files a check reads in a second: a program, and the scripts of a web application,
// both in a layer in gzip, as they come from a build.
func BenchmarkCheck(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	var script bytes.Buffer
	for script.Len() < 16<<20 {
		fmt.Fprintf(&script, "function f%d(a,b){return fetch(\"/api/%d\",{method:\"POST\",headers:a,body:JSON.stringify(b.host||%q)})};\n",
			random.Int(), random.Int(), "https://www.example.com/x")
	}
	for name, content := range map[string]files{
		"program": {"checkout": self(b)},
		"scripts": {"app/main.js": script.String()},
	} {
		b.Run(name, func(b *testing.B) {
			img := image(b, contents.Config{}, step{"COPY . /", content})
			for b.Loop() {
				report := check(b, img, Rules{})
				b.SetBytes(report.Bytes)
			}
		})
	}
}

// A file full of markers must not cost much more than another, or one layer could hold up every build.
func BenchmarkHostile(b *testing.B) {
	for name, piece := range map[string]string{
		"key markers": marker + "\n", "secret keys": "secret_key=", "addresses": "a://a:b@c.prod ", "tokens": "AKIAAKIA", "settings": "host: prod\n",
	} {
		b.Run(name, func(b *testing.B) {
			img := image(b, contents.Config{}, step{"COPY . /", files{"app/x.yaml": string(bytes.Repeat([]byte(piece), (4<<20)/len(piece)))}})
			for b.Loop() {
				report := check(b, img, Rules{})
				b.SetBytes(report.Bytes)
			}
		})
	}
}
