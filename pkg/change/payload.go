package change

// payload is the part of GitHub's event payloads that is read here. All events share the names.
type payload struct {
	Action     string         `json:"action"`
	Ref        string         `json:"ref"`
	After      string         `json:"after"`
	Deleted    bool           `json:"deleted"`
	Reason     string         `json:"reason"`
	Repository repository     `json:"repository"`
	Sender     user           `json:"sender"`
	Pull       *pull          `json:"pull_request"`
	Review     *review        `json:"review"`
	Changes    *changes       `json:"changes"`
	Head       *headCommit    `json:"head_commit"`
	MergeGroup *mergeGroup    `json:"merge_group"`
	Inputs     map[string]any `json:"inputs"`
}

type repository struct {
	FullName string `json:"full_name"`
}

type user struct {
	Login string `json:"login"`
}

type pull struct {
	Number int    `json:"number"`
	State  string `json:"state"`
	Merged bool   `json:"merged"`
	Title  string `json:"title"`
	User   user   `json:"user"`
	Head   branch `json:"head"`
	Base   branch `json:"base"`
}

// branch is one side of a pull request. Repo is null when the fork it came from is gone.
type branch struct {
	Ref  string      `json:"ref"`
	SHA  string      `json:"sha"`
	Repo *repository `json:"repo"`
}

type review struct {
	State    string `json:"state"`
	CommitID string `json:"commit_id"`
}

// changes says what an edit changed; Base is nil unless the pull request goes to another branch now.
type changes struct {
	Base *struct {
		Ref struct {
			From string `json:"from"`
		} `json:"ref"`
	} `json:"base"`
}

type headCommit struct {
	Message string `json:"message"`
}

type mergeGroup struct {
	HeadSHA string `json:"head_sha"`
	HeadRef string `json:"head_ref"`
	BaseRef string `json:"base_ref"`
}
