# Says in the log whether the page answers, until it is told to end.
trap 'exit 0' TERM
while :; do
  if wget -q -O /dev/null "$PAGE"; then echo "$PAGE answers"; else echo "$PAGE does not answer"; fi
  sleep 10 &
  wait $!
done
