package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestThePageIsCurrent(t *testing.T) {
	want, err := document("../..")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("../..", page))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("%s is not current; run make generate (-page +modules):\n%s", page, diff)
	}
}

func TestLicensesAreKnownByTheirWords(t *testing.T) {
	for text, want := range map[string]string{
		"Apache License\n  Version 2.0, January 2004":                                                               "Apache-2.0",
		"Permission is hereby granted, free of\ncharge, to any person obtaining a copy":                             "MIT",
		"Redistribution and use in source and binary forms, … Neither the name of Google":                           "BSD-3-Clause",
		"Redistribution and use in source and binary forms, with or without":                                        "BSD-2-Clause",
		"Permission is hereby granted, free of charge, to any person obtaining a copy\nApache License, Version 2.0": "Apache-2.0 MIT",
		"All rights reserved.": "",
	} {
		found, binding := licensesIn(text)
		if got := strings.Join(found, " "); got != want || len(binding) > 0 {
			t.Errorf("%q: got %q, binding %v", text, got, binding)
		}
	}
}

func TestALicenseThatBindsIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"GPL":  "GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007",
		"MPL":  "Mozilla Public License Version 2.0",
		"none": "All rights reserved.",
	} {
		dir := t.TempDir()
		// Another licence beside it does not help.
		for file, text := range map[string]string{"LICENSE": text, "LICENSE.MIT": "Permission is hereby granted, free of charge, to any person obtaining a copy"} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		m := module{Path: "example.com/x", Dir: dir}
		err := m.read()
		if want := map[string]string{"none": "no licence that is known"}[name]; err == nil || !strings.Contains(err.Error(), want) || want == "" && !strings.Contains(err.Error(), name+" binds") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	empty := module{Path: "example.com/x", Dir: t.TempDir()}
	if err := empty.read(); err == nil || !strings.Contains(err.Error(), "no licence file") {
		t.Errorf("got %v", err)
	}
}
