package agnostic

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/org/promote/pkg/contents"
)

// zipped packs files into an archive.
func zipped(t testing.TB, content files) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(content)) {
		file, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(file, content[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestArchivesOfTheServiceAreLookedInto(t *testing.T) {
	jar := zipped(t, files{
		"META-INF/MANIFEST.MF":                      "Main-Class: com.example.prod.Main\n",
		"BOOT-INF/classes/application-prod.yml":     "spring:\n  datasource:\n    url: jdbc:postgresql://prod-db.internal/shop\n",
		"BOOT-INF/classes/../../../server.pem":      keys(t)["rsa"],
		"BOOT-INF/classes/com/example/Main.class":   "\xca\xfe\xba\xbe\x00\x00\x00\x41https://api.stage.example.com",
		"BOOT-INF/classes/static/test/fixtures.txt": "https://api.stage.example.com",
	})
	img := image(t, contents.Config{},
		step{"COPY app.jar /app/", files{"app/app.jar": jar, "app/libs/other.jar": jar, "app/no.zip": accessKey + "\n"}},
		step{"RUN rm /app/app.jar", files{"app/.wh.app.jar": ""}})
	report := check(t, img, Rules{})
	var got []string
	for _, f := range report.Findings {
		got = append(got, fmt.Sprintf("%s %s %v", f.Where(), f.Kind, f.Hidden != ""))
	}
	want := []string{
		`"/app/app.jar!/BOOT-INF/classes/application-prod.yml" line 3 endpoint true`,
		`"/app/app.jar!/server.pem" line 1 private-key true`,
		`"/app/no.zip" line 1 aws-access-key false`,
	}
	if !slices.Equal(want, got) {
		t.Errorf("findings are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	holdsNoSecret(t, report)
}

func TestAnArchiveThatExpandsWithoutEndIsLeftOff(t *testing.T) {
	zeros := strings.Repeat("\x00", 4<<20)
	img := image(t, contents.Config{}, step{"COPY bomb.zip /app/", files{"app/bomb.zip": zipped(t, files{"a": zeros, "b": zeros, "c": zeros, "d": accessKey})}})
	for most, want := range map[int64]string{expanded: "", 10 << 20: "1 large files were looked at in their first part only"} {
		scan := NewScan(img, Rules{})
		scan.expand = most
		if err := contents.Walk(t.Context(), img, contents.Limits{}, scan); err != nil {
			t.Fatal(err)
		}
		report := scan.Report()
		if report.Clean() == (want == "") || strings.Join(report.Notes, "\n") != want {
			t.Errorf("with %d bytes: findings %v, notes %q", most, report.Findings, report.Notes)
		}
	}
}
