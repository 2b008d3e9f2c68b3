/** What each shell is told, once, to ask `twofold complete` for what may come next. */
export const completionShells = ['bash', 'zsh', 'fish'] as const
export type CompletionShell = (typeof completionShells)[number]

/** The first line of the answer when names of files are what is wanted. */
export const filesDirective = ':files'

const bash = `# bash completion for twofold: eval "$(twofold completion bash)"
_twofold() {
  local line lines
  COMPREPLY=()
  mapfile -t lines < <(twofold complete bash -- "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
  for line in "\${lines[@]}"; do
    if [ "$line" = '${filesDirective}' ]; then
      compopt -o default 2>/dev/null
    else
      COMPREPLY+=("\${line%%$'\\t'*}")
    fi
  done
  case "\${COMPREPLY[*]-}" in *=) compopt -o nospace 2>/dev/null ;; esac
}
complete -F _twofold twofold
`

const zsh = `#compdef twofold
# zsh completion for twofold: eval "$(twofold completion zsh)"
_twofold() {
  local line files
  local -a lines values
  lines=("\${(@f)$(twofold complete zsh -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    if [[ $line == '${filesDirective}' ]]; then
      files=1
    elif [[ $line == *$'\\t'* ]]; then
      values+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
    elif [[ -n $line ]]; then
      values+=("\${line//:/\\\\:}")
    fi
  done
  (( $#values )) && _describe -t twofold twofold values
  [[ -n $files ]] && _files
  return 0
}
compdef _twofold twofold
`

const fish = `# fish completion for twofold: twofold completion fish | source
function __twofold_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l lines (twofold complete fish -- $words[2..-1] $current 2>/dev/null)
  for line in $lines
    if test "$line" = '${filesDirective}'
      __fish_complete_path $current
    else
      echo $line
    end
  end
end
complete -c twofold -f -a '(__twofold_complete)'
`

export const completionScripts: Readonly<Record<CompletionShell, string>> = { bash, zsh, fish }
