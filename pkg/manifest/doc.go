// Package manifest turns the one manifest template in a service's source into the objects of one release.
//
// The way is Load, Render, look the secrets up, Fill, Version. Templates are text/template with sprig, `include`, `required`
// and `toYaml`, and three lookups of our own: {{ secret "id" }}, {{ secret "id" "json-key" }} and {{ param "name" }}. A lookup
// gives a placeholder, never a value: the rendered text is parsed into objects first, and only then are the placeholders
// replaced inside parsed strings. So no value can add a key, an object or a line, whatever it holds.
//
// A placeholder has a type of its own. print, printf, cat, join, quote, squote, indent, nindent, include and the trim family
// carry it as text; ternary, list, dict and other containers hold it, and default, coalesce, and, or pass it on as what they fall
// back to; b64enc and urlquery encode its value later, and int, int64, float64 and atoi turn a whole scalar into a number. Every
// other function refuses it, since it would work on the placeholder and not on the value; so do if and with.
//
// The package refuses what would make one commit render differently twice (environment, network, clock, random functions),
// a missing key, a null that would print as "<no value>", a field that Kubernetes' own kinds do not have and a value of the wrong
// type, text without objects, an object twice or without kind or name, a
// placeholder in a map key, in a name, a kind, a namespace, a label or a selector, another namespace, cluster-scoped objects,
// and images without a digest. Errors begin with the file and line of the template; Locate finds those of what the API server says.
// Preview shows what would be made without any lookup. Of a file that fails to execute it reports the first problem, of everything else each one.
//
//	files, err := manifest.Load("deploy/")
//	rendered, err := manifest.Render(files, manifest.Input{Service: "checkout", Image: image, Values: values})
//	found, err := store.Resolve(ctx, rendered.Refs())
//	objects, err := rendered.Fill(found)
//	release := manifest.ReleaseID(commit, rendered.Hash(found))
//	versioned, err := manifest.Version(objects, manifest.VersionRequest{Service: "checkout", Release: release, …})
//
// Nothing here talks to a network, and only Load and ParseValues read files, none outside the folder they are given.
package manifest
