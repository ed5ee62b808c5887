# Managed: generated, so change services.yaml or the stack files instead.
# This clone and its remote. Everything is prepared as Git objects beside the clone: its branches,
# index and files are touched only after a push has succeeded.
# shellcheck shell=bash disable=SC2034 # what is set here is read by the scripts

readonly GIT_MINIMUM=2.29.0
export GIT_OPTIONAL_LOCKS=0
[[ -t 0 ]] || export GIT_TERMINAL_PROMPT=0
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_PREFIX

# enter_repository: changes into the clone that the script belongs to, and reads platform.env.
enter_repository() {
  command -v git >/dev/null || die "$PRECONDITION" "git is not installed"
  at_least "$(git version)" "$GIT_MINIMUM" ||
    die "$PRECONDITION" "$(git version) is too old" "install git $GIT_MINIMUM or newer"
  cd -- "$SCRIPTS/.." || exit "$PRECONDITION"
  [[ -f scripts/platform.env ]] ||
    die "$PRECONDITION" "this is not the GitOps repository: scripts/platform.env is missing" \
      "run the script from its own clone"
  [[ $(git rev-parse --show-cdup 2>/dev/null || printf none) == '' ]] ||
    die "$PRECONDITION" "$PWD is not the root of a Git clone" "run the script from its own clone"
  git remote get-url origin >/dev/null 2>&1 ||
    die "$PRECONDITION" "this clone has no remote called origin" \
      "add it: git remote add origin URL"
  # shellcheck source=platform.env
  source scripts/platform.env
}

# refuse_unfinished_work: a release starts from a clone in which nothing is half done.
refuse_unfinished_work() {
  local git_dir state dirty
  git_dir=$(git rev-parse --absolute-git-dir)
  for state in MERGE_HEAD:merge CHERRY_PICK_HEAD:cherry-pick REVERT_HEAD:revert \
    rebase-merge:rebase rebase-apply:rebase; do
    [[ ! -e $git_dir/${state%%:*} ]] ||
      die "$PRECONDITION" "a ${state##*:} is half done in this clone" \
        "finish it, or give it up: git ${state##*:} --abort"
  done
  mapfile -t dirty < <(
    git status --porcelain --untracked-files=no
    git status --porcelain --untracked-files=normal -- base environments | grep '^??' || true
  )
  ((${#dirty[@]} == 0)) ||
    die "$PRECONDITION" "this clone has changes that are not committed:" "${dirty[@]:0:5}" \
      "commit and push them, or put them aside: git stash --include-untracked"
}

# require_identity: sets WHO, the name and address that the commit will carry.
require_identity() {
  WHO=$(git -c user.useConfigOnly=true var GIT_AUTHOR_IDENT 2>/dev/null) ||
    die "$PRECONDITION" "Git does not know who you are" \
      "git config --global user.name 'Your Name'" \
      "git config --global user.email you@example.com"
  WHO=${WHO% * *}
}

# find_tip: sets TIP to the commit of origin's branch, fetched without moving a ref of this clone.
# Fails, with the reason in TIP_ERROR, when origin cannot be reached.
find_tip() {
  local answer
  if ! answer=$(git ls-remote origin "refs/heads/$BRANCH" 2>"$WORK/errors"); then
    TIP_ERROR="cannot reach origin: $(last_words "$WORK/errors")"
    return 1
  fi
  TIP=${answer%%[[:space:]]*}
  if [[ -z $TIP ]]; then
    TIP_ERROR="origin has no branch $BRANCH"
    return 1
  fi
  git cat-file -e "$TIP^{commit}" 2>/dev/null && return
  if ! git -c gc.auto=0 fetch --quiet --no-tags --no-write-fetch-head --no-recurse-submodules \
    --refmap= origin "$TIP" 2>"$WORK/errors"; then
    TIP_ERROR="cannot fetch from origin: $(last_words "$WORK/errors")"
    return 1
  fi
}

# require_tip: TIP, or the end.
require_tip() {
  find_tip || die "$REMOTE" "$TIP_ERROR" "nothing was changed; try again when origin answers"
  git cat-file -e "$TIP:scripts/platform.env" 2>/dev/null ||
    die "$PRECONDITION" "origin's branch $BRANCH is not a GitOps repository:" \
      "it has no scripts/platform.env; check: git remote -v"
}

# tip_or_last_known: TIP, or what this clone saw last, with a warning.
tip_or_last_known() {
  find_tip && return
  TIP=$(git rev-parse --verify --quiet "refs/remotes/origin/$BRANCH^{commit}") ||
    TIP=$(git rev-parse --verify --quiet 'HEAD^{commit}') ||
    die "$REMOTE" "$TIP_ERROR"
  warn "$TIP_ERROR"
  warn "showing what this clone last knew, of $(git log -1 --format=%cr "$TIP")"
}

# last_words FILE: the line of a program's errors that says why.
last_words() {
  awk '/^(remote: )?(fatal|error|ERROR)/ && !found { found = $0 } NF { last = $0 }
       END { print found != "" ? found : last }' "$1"
}

# commit_files MESSAGE-FILE < "path<TAB>file" lines: sets COMMIT, a child of TIP with those files.
commit_files() {
  local signing=()
  [[ $(git config --type=bool commit.gpgsign) != true ]] || signing=(-S)
  (
    export GIT_INDEX_FILE=$WORK/index
    git read-tree "$TIP"
    cat >"$WORK/files"
    cut -f 2 "$WORK/files" | git hash-object -w --no-filters --stdin-paths >"$WORK/blobs"
    paste "$WORK/files" "$WORK/blobs" | awk -F '\t' '{ print "100644 " $3 "\t" $1 }' |
      git update-index --add --index-info
    git write-tree >"$WORK/tree-id"
  )
  COMMIT=$(git commit-tree "${signing[@]}" -p "$TIP" -F "$1" "$(<"$WORK/tree-id")") ||
    die "$PRECONDITION" "Git could not make the commit (see above); nothing was changed"
}

# push_commit: 0 when COMMIT is on origin's branch; 1 when somebody else was faster. Ends otherwise.
push_commit() {
  local before=$TIP reasons
  PUSHING=yes
  if git push --quiet --no-follow-tags origin "$COMMIT:refs/heads/$BRANCH" \
    >"$WORK/answer" 2>"$WORK/refusal"; then
    PUSHING=
    return
  fi
  find_tip ||
    die "$REMOTE" "the push failed, and origin does not answer: it may or may not have arrived" \
      "$(last_words "$WORK/refusal")" "look first, when origin answers: scripts/history.sh --limit 5"
  PUSHING=
  git merge-base --is-ancestor "$COMMIT" "$TIP" && return
  [[ $TIP == "$before" ]] || return 1
  grep -qE 'cannot lock ref|failed to update ref|non-fast-forward|fetch first' "$WORK/refusal" && return 1
  mapfile -t reasons < <(sed -E '/^(To |error: failed to push|[[:space:]]*$)/d; s/^ +//; s/ +$//' \
    "$WORK/refusal")
  die "$REMOTE" "origin refused the push; nothing was changed:" "${reasons[@]}"
}

# follow_origin: brings the clone's own branch up to COMMIT where that is a plain fast-forward.
follow_origin() {
  if [[ $(git symbolic-ref --quiet --short HEAD) == "$BRANCH" ]] &&
    git merge --quiet --ff-only "$COMMIT" >/dev/null 2>&1; then
    return
  fi
  note "this clone was left as it is; to follow: git pull --rebase origin $BRANCH"
}
