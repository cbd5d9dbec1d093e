import json
import sys

if __name__ == "__main__":
    print(json.dumps([n * n for n in range(int(sys.argv[1]))]))
