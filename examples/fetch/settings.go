package main

import (
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
)

// The contract with package internal/fetch; a test compares both. Importing that package would add
// k8s.io/api, a third of the program.
const (
	storeVar   = "PODSECRETS_STORE"
	itemPrefix = "PODSECRETS_GET_"

	aws   = "aws"
	gcp   = "gcp"
	azure = "azure"

	defaultFilesDir = "/podsecrets/files"
	defaultEnvDir   = "/podsecrets/env"
)

// Further settings. README.md documents them.
const (
	deadlineVar       = "PODSECRETS_DEADLINE"
	concurrencyVar    = "PODSECRETS_CONCURRENCY"
	hostsVar          = "PODSECRETS_HOSTS"
	gcpEndpointVar    = "PODSECRETS_GCP_ENDPOINT"
	filesDirVar       = "PODSECRETS_FILES_DIR"
	envDirVar         = "PODSECRETS_ENV_DIR"
	terminationLogVar = "PODSECRETS_TERMINATION_LOG"
)

type settings struct {
	store string
	items []item // ordered by id
	// deadline limits everything except writing files.
	deadline    time.Duration
	concurrency int
	// hosts are allowed besides the vendor's.
	hosts hostList
	// gcpEndpoint replaces Google's hosts: host:port.
	gcpEndpoint                      string
	filesDir, envDir, terminationLog string
}

// readSettings returns the settings in an environment, and all problems. The termination log is
// always set.
func readSettings(environ []string) (settings, []problem) {
	s := settings{
		deadline: time.Minute, concurrency: 8,
		filesDir: defaultFilesDir, envDir: defaultEnvDir, terminationLog: "/dev/termination-log",
	}
	var problems []problem
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		if err := s.set(name, value); err != nil {
			problems = append(problems, problem{name, failure{outcome: badRequest, detail: err.Error()}})
		}
	}
	missing := func(name, detail string) {
		problems = append(problems, problem{name, failure{outcome: badRequest, detail: detail}})
	}
	if len(problems) == 0 && s.store == "" {
		missing(storeVar, "is not set")
	} else if len(problems) == 0 && len(s.items) == 0 {
		missing(itemPrefix+"*", "no secret is requested")
	}
	sort.SliceStable(s.items, func(i, j int) bool { return s.items[i].before(s.items[j]) })
	problems = append(problems, clashes(s.items)...)
	sort.SliceStable(problems, func(i, j int) bool { return problems[i].subject < problems[j].subject })
	return s, problems
}

var endpointForm = regexp.MustCompile(`^[A-Za-z0-9.-]+(:[0-9]{1,5})?$`)

// set sets one variable. An empty setting counts as unset.
func (s *settings) set(name, value string) (err error) {
	if strings.HasPrefix(name, itemPrefix) {
		it, err := decodeItem(value)
		if it.variable = name; err == nil {
			s.items = append(s.items, it)
		}
		return err
	}
	if value == "" {
		return nil
	}
	switch name {
	case storeVar:
		if s.store = value; value != aws && value != gcp && value != azure {
			return fmt.Errorf("must be one of %s, %s, %s", aws, gcp, azure)
		}
	case deadlineVar:
		s.deadline, err = time.ParseDuration(value)
		if err != nil || s.deadline < time.Second || s.deadline > time.Hour {
			return fmt.Errorf("must be a duration from 1s to 1h")
		}
	case concurrencyVar:
		s.concurrency, err = strconv.Atoi(value)
		if err != nil || s.concurrency < 1 || s.concurrency > 100 {
			return fmt.Errorf("must be a number from 1 to 100")
		}
	case hostsVar:
		s.hosts, err = parseHosts(value)
	case gcpEndpointVar:
		if !endpointForm.MatchString(value) {
			return fmt.Errorf("must be a host, or host:port")
		}
		s.gcpEndpoint = withPort(strings.ToLower(value))
	case filesDirVar:
		s.filesDir = value
	case envDirVar:
		s.envDir = value
	case terminationLogVar:
		s.terminationLog = value
	}
	return err
}
