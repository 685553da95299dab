FROM busybox
RUN mkdir /real && ln -s /real /abs && ln -s real /rel && ln -s ../../real /up
COPY app.py /abs/
COPY app.py /rel/two.py
COPY data /up/
COPY app.py /abs/new/deep/three.py
