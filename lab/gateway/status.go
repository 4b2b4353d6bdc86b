package gateway

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// holds says whether a condition of an object is true, and of its present generation where it says of which it is.
func holds(o *unstructured.Unstructured, condition string) bool {
	var object struct {
		Status struct {
			Conditions []metav1.Condition `json:"conditions"`
		} `json:"status"`
	}
	if err := convert(o, &object); err != nil {
		return false
	}
	for _, c := range object.Status.Conditions {
		if c.Type == condition {
			return c.Status == metav1.ConditionTrue && (c.ObservedGeneration == 0 || c.ObservedGeneration == o.GetGeneration())
		}
	}
	return false
}

// convert reads the part of an object that a struct asks for.
func convert(o *unstructured.Unstructured, into any) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, into); err != nil {
		return fmt.Errorf("reading %s/%s: %w", o.GetKind(), o.GetName(), err)
	}
	return nil
}
