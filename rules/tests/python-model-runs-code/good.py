agent = create_agent(llm, tools=[search])
