//go:build linux

package main

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/podsecrets/podsecrets/internal/node/reader"
)

// read writes a report. With -every it writes further ones, until it is told to
// stop.
func read(args []string) error {
	f := flag.NewFlagSet("read", flag.ContinueOnError)
	ask := f.String("ask", "", "questions for Flyte's client, a list in JSON, in base64")
	every := f.Duration("every", 0, "report again and again")
	sleep := f.Duration("sleep", 0, "stay, unless told to stop")
	code := f.Int("exit", 0, "how to end")
	if err := f.Parse(args); err != nil {
		return err
	}
	questions, err := parseQuestions(*ask)
	if err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	for {
		report, err := reader.New(args, questions)
		if err != nil {
			return err
		}
		out, err := json.Marshal(report)
		if err != nil {
			return err
		}
		fmt.Printf("%s\n", out)
		wait := *sleep
		if *every > 0 {
			wait = *every
		}
		select {
		case <-stop:
			return nil
		case <-time.After(wait):
		}
		if *every == 0 {
			os.Exit(*code)
		}
	}
}

func parseQuestions(text string) (all []reader.Question, err error) {
	if text == "" {
		return nil, nil
	}
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	return all, json.Unmarshal(raw, &all)
}
