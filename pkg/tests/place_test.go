package tests

import (
	"path/filepath"
	"testing"
)

func TestPlaces(t *testing.T) {
	dir := folder(t, map[string]string{
		"repo/pkg/a_test.go": "", "repo/lib.py": "", "secret.txt": "", "repo/node_modules/x/i.js": "", "repo/app/[id]/page.test.tsx": "",
		"repo/web/src/cart.test.ts": "", "repo/api/src/test/java/com/shop/PriceTest.java": "", "repo/web/src/test/java/com/shop/PriceTest.java": "",
		"repo/api/src/test/java/org/shop/PriceTest.java": "", "repo/kt/Cart.kt": "", "repo/lib/a.rb": "", "repo/Shop.Tests/A.cs": "", "repo/src/lib.rs": "",
	})
	repo := filepath.Join(dir, "repo")
	at := &Places{workspace: repo, dir: repo}
	pkg := filepath.Join(repo, "pkg")
	for name, test := range map[string]struct {
		text, file string
		line       int
	}{
		"a file of the package":                        {"    a_test.go:12: bad", "pkg/a_test.go", 12},
		"an absolute path":                             {"Error Trace:\t" + repo + "/pkg/a_test.go:7", "pkg/a_test.go", 7},
		"the first file that is in the checkout":       {"/usr/lib/go/src/testing.go:3\n../lib.py:4: x", "lib.py", 4},
		"nothing outside of the checkout":              {"../../secret.txt:1: x", "", 0},
		"nothing that is not there":                    {"b_test.go:1: x", "", 0},
		"a traceback of Python":                        {"  File \"/usr/lib/python3/unittest/case.py\", line 57, in run\n  File \"" + repo + "/lib.py\", line 9, in f", "lib.py", 9},
		"a stack of JavaScript":                        {"Error: x\n    at Object.<anonymous> (" + repo + "/web/src/cart.test.ts:5:33)", "web/src/cart.test.ts", 5},
		"a stack with file addresses":                  {"    at file://" + repo + "/web/src/cart.test.ts:6:1", "web/src/cart.test.ts", 6},
		"code of others only where there is no own":    {repo + "/node_modules/x/i.js:1:2\n" + repo + "/web/src/cart.test.ts:7:1", "web/src/cart.test.ts", 7},
		"code of others where there is no own":         {repo + "/node_modules/x/i.js:1:2", "node_modules/x/i.js", 1},
		"a path with brackets":                         {"❯ ../app/[id]/page.test.tsx:5:9", "app/[id]/page.test.tsx", 5},
		"a class of Java, by its package":              {"\tat org.junit.Assert.fail(Assert.java:86)\n\tat org.shop.PriceTest.tax(PriceTest.java:12)", "api/src/test/java/org/shop/PriceTest.java", 12},
		"a nested class of Java":                       {"\tat org.shop.PriceTest$Cart.lambda$tax$0(PriceTest.java:13)", "api/src/test/java/org/shop/PriceTest.java", 13},
		"a file of Kotlin that is there once":          {"\tat com.shop.Cart.add(Cart.kt:3)", "kt/Cart.kt", 3},
		"a stack of Ruby":                              {"# ../lib/a.rb:5:in `block'", "lib/a.rb", 5},
		"a stack of .NET":                              {"   at Shop.A.B() in " + repo + "/Shop.Tests/A.cs:line 15", "Shop.Tests/A.cs", 15},
		"a panic of Rust":                              {"thread 't' panicked at ../src/lib.rs:21:9:", "src/lib.rs", 21},
		"a path with a zero byte, which no file has":   {"File \"/x\x00y.py\", line 3", "", 0},
		"a path of another system with its separators": {`..\lib.py:4`, "lib.py", 4},
	} {
		t.Run(name, func(t *testing.T) {
			if file, line := at.in(test.text, pkg); file != test.file || line != test.line {
				t.Errorf("got %q line %d", file, line)
			}
		})
	}
	for class, want := range map[string]string{
		"org.shop.PriceTest":      "api/src/test/java/org/shop/PriceTest.java",
		"org.shop.PriceTest$Cart": "api/src/test/java/org/shop/PriceTest.java",
		"com.shop.Cart":           "kt/Cart.kt",
		"../../secret":            "",
		"com.shop.Nowhere":        "",
	} {
		t.Run("class "+class, func(t *testing.T) {
			if got := at.class(class); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestPackageDir(t *testing.T) {
	repo := folder(t, map[string]string{
		"go.mod": "module example.com/m\n", "tools/go.mod": "// tools\nmodule \"example.com/m/tools\"\n", "copy/go.mod": "module example.com/m\n",
		"svc/go.mod": "module other.org/svc\n", "node_modules/x/go.mod": "module example.com/x\n",
	})
	at := &Places{workspace: repo, dir: repo}
	for pkg, want := range map[string]string{
		"example.com/m": "", "example.com/m/a/b": "a/b", "example.com/m/tools/x": "tools/x", "other.org/svc/p": "svc/p",
		"example.com/more": "", "example.com/x/y": "",
	} {
		if got, _ := at.packageDir(pkg); got != filepath.Join(repo, want) {
			t.Errorf("%s: got %q, want %q", pkg, got, want)
		}
	}
}
