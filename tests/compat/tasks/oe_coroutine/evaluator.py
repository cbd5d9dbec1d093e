import asyncio
import runpy


async def evaluate(program_path):
    program = runpy.run_path(program_path)
    value = await asyncio.wait_for(program["answer"](), timeout=5)
    return {"combined_score": value / 50, "half": (await asyncio.to_thread(lambda: 0.5))}
