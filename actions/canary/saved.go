package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/org/promote/pkg/change"
	"github.com/org/promote/pkg/gha"
	"github.com/org/promote/pkg/metrics"
	"github.com/org/promote/pkg/report"
	"github.com/org/promote/pkg/rollout"
)

// savedVersion is that of the file's form. A reader refuses others.
const savedVersion = 1

// The files of a run.
const (
	savedName = "run.json"
	pageName  = "report.html"
)

// savedRun is a rollout as it is kept: who, what was seen, and what the verdicts rested on.
type savedRun struct {
	Version     int            `json:"version"`
	Service     string         `json:"service"`
	Environment string         `json:"environment"`
	Run         string         `json:"run"`
	URL         string         `json:"url,omitempty"`
	Commit      string         `json:"commit"`
	Title       string         `json:"title,omitempty"`
	Image       string         `json:"image"`
	Release     string         `json:"release"`
	Baseline    string         `json:"baseline"`
	Basis       metrics.Basis  `json:"basis"`
	Result      rollout.Result `json:"result"`
}

// keep writes a run's files and gives the path of its page. Nothing that goes wrong here is worth more than a warning: the candidate
// is still to be removed.
func keep(a *gha.Action, s savedRun) (page string) {
	defer func() {
		if p := recover(); p != nil {
			a.Warningf("writing the report: internal error: %v", p)
			page = ""
		}
	}()
	folder := reportFolder(a.Env(), s)
	if err := s.write(folder, a.Redact); err != nil {
		a.Warningf("%v", err)
		return ""
	}
	page = filepath.Join(folder, pageName)
	if a.Redact(page) != page {
		a.Warningf("The report is in the runner's temporary folder, but its path holds a masked secret and can be no output.")
		return ""
	}
	a.Infof("report: %s; `canary replay -run` judges %s beside it again", page, savedName)
	return page
}

// reportFolder is where the files of a run go. No two services, environments or attempts of one runner share it.
func reportFolder(env gha.Env, s savedRun) string {
	temp := env.Temp
	if temp == "" {
		temp = filepath.Join(env.Workspace, ".tmp")
	}
	return filepath.Join(temp, "promote", fileName(s.Service+"-"+s.Environment+"-"+s.Run))
}

// fileName leaves of a text what every file system takes.
func fileName(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, text)
}

// write keeps the run where a later step of the job can take it from. Its texts hold no secret.
func (s savedRun) write(folder string, redact func(string) string) error {
	clean := withoutSecrets(s, redact)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	raw, err := json.Marshal(clean)
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, savedName), raw, 0o644); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	page, err := report.HTML(clean.page())
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, pageName), page, 0o644); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// page is the run as its page shows it.
func (s savedRun) page() report.Run {
	r := report.Run{
		Service: s.Service, Environment: s.Environment, Commit: change.Short(s.Commit), Title: s.Title, Image: s.Image,
		Release: s.Release, Baseline: s.Baseline, URL: s.URL, Result: s.Result,
	}
	for _, c := range s.Basis.Checks {
		check := report.Check{Name: c.Name, Min: c.Min, Max: c.Max}
		for _, q := range []report.Query{{Name: "bad", Text: c.Bad}, {Name: "total", Text: c.Total}, {Name: "query", Text: c.Query}} {
			if q.Text != "" {
				check.Queries = append(check.Queries, q)
			}
		}
		r.Checks = append(r.Checks, check)
	}
	return r
}

// withoutSecrets is a copy in which every text went through redact. Words of our own (phases, verdicts) have types of their own and stay:
// a run whose verdicts are masked could not be judged again.
func withoutSecrets[T any](v T, redact func(string) string) T {
	return copied(reflect.ValueOf(v), redact).Interface().(T)
}

func copied(v reflect.Value, redact func(string) string) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			out.SetString(redact(v.String()))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			out.Set(reflect.New(v.Type().Elem()))
			out.Elem().Set(copied(v.Elem(), redact))
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(copied(v.Index(i), redact))
			}
		}
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			for key, value := range v.Seq2() {
				out.SetMapIndex(copied(key, redact), copied(value, redact))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type() != reflect.TypeFor[time.Time]() {
				out.Field(i).Set(copied(v.Field(i), redact))
			}
		}
	}
	return out
}
