package agnostic

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/org/promote/pkg/contents"
)

const (
	// mostFindings of one image; past that, more of them help nobody.
	mostFindings = 1000
	// mostInFile of one kind.
	mostInFile = 5
)

// Check reads the whole image. Layers that cannot be read, or are larger than the limits, are an error: nothing can be said
// about such an image.
func Check(ctx context.Context, img contents.Image, rules Rules, limits contents.Limits) (Report, error) {
	scan := NewScan(img, rules)
	if err := contents.Walk(ctx, img, limits, scan); err != nil {
		return Report{}, err
	}
	return scan.Report(), nil
}

// Scan is a check as a visitor, for a walk that others share.
type Scan struct {
	image contents.Image
	rules Rules
	hosts hosts
	found []located
	// at holds the indexes of findings by path, for what later layers do to it.
	at    map[string][]int
	files int
	bytes int64
	cut   int // files that were not read to their end
	more  int // findings that were not kept
	// unopened archives are too large to be looked into.
	unopened int
	expand   int64 // bytes that one archive may come to
	file     fileScan
}

// located is a finding with the layer's index.
type located struct {
	Finding
	layer int
}

// NewScan begins a check. The rules are those that [Rules.Check] finds right.
func NewScan(img contents.Image, rules Rules) *Scan {
	return &Scan{image: img, rules: rules, hosts: hosts{rules.environments()}, at: map[string][]int{}, expand: expanded}
}

// Visit implements [contents.Visitor].
func (s *Scan) Visit(e contents.Entry) io.WriteCloser {
	s.hide(e)
	if e.Kind != contents.File || e.Size == 0 {
		return nil
	}
	where := placeOf(e.Path)
	if where == published {
		return nil
	}
	s.files++
	if where == own && isArchive(e.Path) {
		if e.Size <= largestArchive {
			return &archive{scan: s, entry: e, where: where}
		}
		s.unopened++
	}
	s.file.start(s, e, where)
	return &s.file
}

// hide notes on earlier findings that a later layer takes their file out of sight.
func (s *Scan) hide(e contents.Entry) {
	if len(s.found) == 0 {
		return
	}
	note := func(i int, how string) {
		if f := &s.found[i]; f.Hidden == "" && f.layer < e.Layer {
			f.Hidden = how + " in layer " + s.image.Layers[e.Layer].Digest
		}
	}
	if e.Kind == contents.Folder {
		return // nearly every folder is in every layer again, and what it holds stays
	}
	for _, i := range s.at[e.Path] {
		if e.Kind == contents.Whiteout {
			note(i, "removed again")
		} else {
			note(i, "replaced")
		}
	}
	if e.Kind == contents.Whiteout || e.Kind == contents.Opaque {
		for i := range s.found {
			if e.Hides(s.found[i].Path) {
				note(i, "removed again")
			}
		}
	}
}

// add keeps a finding in a file of the layer that is being read.
func (s *Scan) add(e contents.Entry, f Finding) {
	if len(s.found) >= mostFindings {
		s.more++
		return
	}
	layer := s.image.Layers[e.Layer]
	f.Path, f.Layer, f.Step = e.Path, layer.Digest, maskStep(layer.Step)
	s.at[onDisk(e.Path)] = append(s.at[onDisk(e.Path)], len(s.found))
	s.found = append(s.found, located{f, e.Layer})
}

// Report gives what was found, once the walk is over.
func (s *Scan) Report() Report {
	r := Report{Files: s.files, Bytes: s.bytes}
	slices.SortStableFunc(s.found, func(a, b located) int {
		return cmp.Or(cmp.Compare(a.layer, b.layer), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Kind, b.Kind))
	})
	var all []Finding
	for _, f := range s.found {
		all = append(all, f.Finding)
	}
	all = append(all, s.config()...)
	used := map[int]bool{}
	for _, f := range all {
		i := slices.IndexFunc(s.rules.Allow, func(a Allowance) bool { return a.covers(f) })
		if i < 0 {
			r.Findings = append(r.Findings, f)
			continue
		}
		r.Allowed = append(r.Allowed, f)
		for j, a := range s.rules.Allow {
			used[j] = used[j] || a.covers(f)
		}
	}
	for i, a := range s.rules.Allow {
		if !used[i] {
			r.Notes = append(r.Notes, fmt.Sprintf("entry %s of the allow-list covers nothing in this image; take it out", strconv.Quote(a.text)))
		}
	}
	if s.cut > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d large files were looked at in their first part only", s.cut))
	}
	if s.unopened > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d archives of more than %d MiB were not looked into", s.unopened, largestArchive>>20))
	}
	if s.more > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d findings more are not shown", s.more))
	}
	return r
}
