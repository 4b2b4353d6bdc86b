package github

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// need is one permission at one level.
type need struct{ scope, level string }

// route is one endpoint. The template is the one in GitHub's OpenAPI description, letter by letter: the
// tests look the operation up by it.
type route struct {
	method   string
	template string
	needs    []need // any one of them suffices, as GitHub documents it
	handle   func(*Server, context.Context, *call) (int, any, error)
	pattern  *regexp.Regexp
	names    []string
}

var (
	metadata         = []need{{"metadata", Read}}
	actionsRead      = []need{{"actions", Read}}
	contentsRead     = []need{{"contents", Read}}
	contentsWrite    = []need{{"contents", Write}}
	pullsRead        = []need{{"pull_requests", Read}}
	pullsWrite       = []need{{"pull_requests", Write}}
	statusesRead     = []need{{"statuses", Read}}
	statusesWrite    = []need{{"statuses", Write}}
	deploymentsRead  = []need{{"deployments", Read}}
	deploymentsWrite = []need{{"deployments", Write}}
	// Every issue here is a pull request, for which GitHub takes either permission.
	commentsRead  = []need{{"issues", Read}, {"pull_requests", Read}}
	commentsWrite = []need{{"issues", Write}, {"pull_requests", Write}}
)

// routes is the whole API. Of two that match, the first wins.
var routes = []*route{
	{method: "GET", template: "", needs: metadata, handle: (*Server).getRepository},
	{method: "GET", template: "/branches/{branch}", needs: contentsRead, handle: (*Server).getBranch},
	{method: "GET", template: "/rules/branches/{branch}", needs: metadata, handle: (*Server).getRules},
	{method: "GET", template: "/environments/{environment_name}", needs: actionsRead, handle: (*Server).getEnvironment},
	{method: "GET", template: "/environments/{environment_name}/deployment-branch-policies", needs: actionsRead, handle: (*Server).listBranchPolicies},
	{method: "GET", template: "/actions/oidc/customization/sub", needs: actionsRead, handle: (*Server).getSubject},
	{method: "GET", template: "/git/ref/{ref}", needs: contentsRead, handle: (*Server).getRef},
	{method: "GET", template: "/git/commits/{commit_sha}", needs: contentsRead, handle: (*Server).getGitCommit},
	{method: "GET", template: "/git/trees/{tree_sha}", needs: contentsRead, handle: (*Server).getTree},
	{method: "GET", template: "/compare/{basehead}", needs: contentsRead, handle: (*Server).compare},
	{method: "GET", template: "/commits", needs: contentsRead, handle: (*Server).listCommits},
	{method: "GET", template: "/commits/{commit_sha}/pulls", needs: pullsRead, handle: (*Server).listPullsOfCommit},
	{method: "GET", template: "/commits/{ref}/statuses", needs: statusesRead, handle: (*Server).listStatuses},
	{method: "GET", template: "/commits/{ref}/status", needs: statusesRead, handle: (*Server).combinedStatus},
	{method: "GET", template: "/commits/{ref}", needs: contentsRead, handle: (*Server).getCommit},
	{method: "POST", template: "/statuses/{sha}", needs: statusesWrite, handle: (*Server).createStatus},
	{method: "GET", template: "/pulls", needs: pullsRead, handle: (*Server).listPulls},
	{method: "POST", template: "/pulls", needs: pullsWrite, handle: (*Server).createPull},
	{method: "GET", template: "/pulls/{pull_number}", needs: pullsRead, handle: (*Server).getPull},
	{method: "PATCH", template: "/pulls/{pull_number}", needs: pullsWrite, handle: (*Server).updatePull},
	{method: "GET", template: "/pulls/{pull_number}/commits", needs: pullsRead, handle: (*Server).listPullCommits},
	{method: "GET", template: "/pulls/{pull_number}/files", needs: pullsRead, handle: (*Server).listPullFiles},
	{method: "GET", template: "/pulls/{pull_number}/merge", needs: pullsRead, handle: (*Server).isMerged},
	{method: "PUT", template: "/pulls/{pull_number}/merge", needs: contentsWrite, handle: (*Server).mergePull},
	{method: "GET", template: "/pulls/{pull_number}/reviews", needs: pullsRead, handle: (*Server).listReviews},
	{method: "POST", template: "/pulls/{pull_number}/reviews", needs: pullsWrite, handle: (*Server).createReview},
	{method: "PUT", template: "/pulls/{pull_number}/reviews/{review_id}/dismissals", needs: pullsWrite, handle: (*Server).dismissReview},
	{method: "GET", template: "/collaborators/{username}/permission", needs: metadata, handle: (*Server).getPermission},
	{method: "GET", template: "/deployments", needs: deploymentsRead, handle: (*Server).listDeployments},
	{method: "POST", template: "/deployments", needs: deploymentsWrite, handle: (*Server).createDeployment},
	{method: "GET", template: "/deployments/{deployment_id}", needs: deploymentsRead, handle: (*Server).getDeployment},
	{method: "GET", template: "/deployments/{deployment_id}/statuses", needs: deploymentsRead, handle: (*Server).listDeploymentStatuses},
	{method: "POST", template: "/deployments/{deployment_id}/statuses", needs: deploymentsWrite, handle: (*Server).createDeploymentStatus},
	{method: "GET", template: "/issues/{issue_number}/comments", needs: commentsRead, handle: (*Server).listComments},
	{method: "POST", template: "/issues/{issue_number}/comments", needs: commentsWrite, handle: (*Server).createComment},
	{method: "GET", template: "/issues/comments/{comment_id}", needs: commentsRead, handle: (*Server).getComment},
	{method: "PATCH", template: "/issues/comments/{comment_id}", needs: commentsWrite, handle: (*Server).updateComment},
	{method: "DELETE", template: "/issues/comments/{comment_id}", needs: commentsWrite, handle: (*Server).deleteComment},
}

// userTemplate is the only endpoint outside of a repository.
const userTemplate = "/user"

func init() {
	for _, r := range routes {
		r.template = "/repos/{owner}/{repo}" + r.template
	}
	routes = append(routes, &route{method: "GET", template: userTemplate, handle: (*Server).me})
	for _, r := range routes {
		r.compile()
	}
}

// severalSegments are the parameters whose values may hold slashes (branch names do).
var severalSegments = map[string]bool{"ref": true, "basehead": true, "branch": true, "tree_sha": true, "sha": true}

func (r *route) compile() {
	var pattern strings.Builder
	pattern.WriteString("^")
	for _, segment := range strings.Split(strings.TrimPrefix(r.template, "/"), "/") {
		pattern.WriteString("/")
		name, isParam := strings.CutPrefix(segment, "{")
		switch name = strings.TrimSuffix(name, "}"); {
		case !isParam:
			pattern.WriteString(regexp.QuoteMeta(segment))
			continue
		case severalSegments[name]:
			pattern.WriteString("(.+)")
		default:
			pattern.WriteString("([^/]+)")
		}
		r.names = append(r.names, name)
	}
	r.pattern = regexp.MustCompile(pattern.String() + "$")
}

// findRoute gives the endpoint of a request and its path parameters, unescaped.
func findRoute(method string, u *url.URL) (*route, map[string]string) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	path := strings.TrimPrefix(u.EscapedPath(), "/api/v3")
	for _, r := range routes {
		if r.method != method {
			continue
		}
		values := r.pattern.FindStringSubmatch(path)
		if values == nil {
			continue
		}
		params := map[string]string{}
		for i, name := range r.names {
			value, err := url.PathUnescape(values[i+1])
			if err != nil {
				return nil, nil
			}
			params[name] = value
		}
		return r, params
	}
	return nil, nil
}
