package main

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestARequestIsCountedByItsVerbAndResource(t *testing.T) {
	for request, want := range map[string]call{
		"GET /api/v1/namespaces/a/pods?labelSelector=x":                               {"list", "pods"},
		"GET /api/v1/namespaces/a/pods?watch=true":                                    {"watch", "pods"},
		"GET /apis/apps/v1/namespaces/a/deployments?watch=1":                          {"watch", "deployments"},
		"GET /api/v1/namespaces/a/services/web":                                       {"get", "services"},
		"GET /api/v1/namespaces/a":                                                    {"get", "namespaces"},
		"GET /api/v1/namespaces/a/pods/web-1/log?follow=true":                         {"get", "pods/log"},
		"PUT /apis/coordination.k8s.io/v1/namespaces/a/leases/promote-web":            {"update", "leases"},
		"POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews":                 {"create", "selfsubjectaccessreviews"},
		"PATCH /apis/apps/v1/namespaces/a/deployments/web?dryRun=All&fieldManager=me": {"apply, dry run", "deployments"},
		"DELETE /apis/apps/v1/namespaces/a/deployments/web":                           {"delete", "deployments"},
		"GET /version": {"list", "/version"},
		"GET /api/v1":  {"list", "/api"},
	} {
		method, url, _ := strings.Cut(request, " ")
		r := httptest.NewRequest(method, url, nil)
		if method == "PATCH" {
			r.Header.Set("Content-Type", "application/apply-patch+yaml")
		}
		if got := classify(r); got != want {
			t.Errorf("%s is counted as %v, want %v", request, got, want)
		}
	}
}
