// SPDX-License-Identifier: Apache-2.0
const BASH = `# bash completion of tare
_tare() {
  local words line value
  # bash splits at = and :, so the words are put together again.
  local text="\${COMP_LINE:0:COMP_POINT}"
  read -r -a words <<< "$text"
  [[ "$text" == *" " ]] && words+=("")
  words=("\${words[@]:1}")
  COMPREPLY=()
  while IFS= read -r line; do
    value="\${line%%$'\\t'*}"
    case "$value" in
      :file) compopt -o default; return ;;
      :directory) compopt -o dirnames; return ;;
    esac
    COMPREPLY+=("$value")
  done < <(tare __complete -- "\${words[@]}" 2>/dev/null)
  local current="\${words[\${#words[@]}-1]}" prefix=""
  [[ "$current" == *=* && "$COMP_WORDBREAKS" == *=* ]] && prefix="\${current%"\${current##*=}"}"
  [[ "$current" == *:* && "$COMP_WORDBREAKS" == *:* ]] && prefix="\${current%"\${current##*:}"}"
  COMPREPLY=("\${COMPREPLY[@]#"$prefix"}")
  [[ \${#COMPREPLY[@]} == 1 && "\${COMPREPLY[0]}" == *= ]] && compopt -o nospace
}
complete -F _tare tare
`;

const ZSH = `#compdef tare
_tare() {
  local -a values
  local line value text
  while IFS= read -r line; do
    value="\${line%%$'\\t'*}"
    text="\${line#*$'\\t'}"
    case "$value" in
      :file) _files; return ;;
      :directory) _files -/; return ;;
    esac
    values+=("\${value//:/\\\\:}:$text")
  done < <(tare __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  _describe tare values
}
if [[ "\${funcstack[1]}" == "_tare" ]]; then _tare; else compdef _tare tare; fi
`;

const FISH = `# fish completion of tare
function __tare_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l lines (tare __complete -- $words[2..-1] 2>/dev/null)
  switch "$lines[1]"
    case ':file*'
      __fish_complete_path (commandline -ct)
    case ':directory*'
      __fish_complete_directories (commandline -ct)
    case '*'
      printf '%s\\n' $lines
  end
end
complete -c tare -f -a '(__tare_complete)'
`;

/** The completion script of each shell; all ask `tare __complete -- WORDS…` for lines `value<tab>description`. */
export const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
