def evaluate(program_path):
    with open(program_path) as file:
        words = file.read().split()
    return {"combined_score": len(set(words)) / len(words), "words": len(words)}
