echo "no orders yet"
